import { CopyId } from "@look/CopyId";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { storyQuery } from "../api/queries";
import type { Story } from "../api/types";
import { OutcomeMark } from "../components/Bits";
import { EventRows } from "../components/EventRows";
import { Loaded } from "../components/Loaded";
import { Fact, Facts, Panel, Panels } from "../components/Panel";
import { View } from "../components/View";
import { When } from "../components/When";
import { count, countryName } from "../lib/format";

interface StoryProps {
  kind: "sessions" | "attempts";
  title: string;
  parameter: string;
}

/** Everything that belongs to one session or one attempt, from its first event to its last. */
function StoryView({ kind, title, parameter }: StoryProps) {
  const { id = "" } = useParams();
  const query = useQuery(storyQuery(kind, id));
  return (
    <View
      title={title}
      lead={<CopyId value={id} what={`${parameter} id`} />}
      actions={<Link to={`/search?${new URLSearchParams({ [parameter]: id }).toString()}`}>Search for it</Link>}
    >
      <Loaded query={query} what={`the ${parameter}`} thing={parameter}>
        {(story) => (
          <Panels>
            <Summary story={story} />
            <Panel
              title="Events"
              flush
              aside={`${count(story.events.length)} of ${count(story.event_count)}, oldest first`}
            >
              <EventRows label="Events" entries={story.events} />
            </Panel>
          </Panels>
        )}
      </Loaded>
    </View>
  );
}

function Summary({ story: { subject, client, outcome, first_seen, last_seen } }: { story: Story }) {
  return (
    <Panel title="In short">
      <Facts>
        {outcome ? (
          <Fact name="Ended in">
            <OutcomeMark outcome={outcome} />
          </Fact>
        ) : null}
        <Fact name="First event">
          <When time={first_seen} />
        </Fact>
        <Fact name="Last event">
          <When time={last_seen} />
        </Fact>
        {subject?.sub ? (
          <Fact name="Subject">
            <Link to={`/subjects/${subject.sub}`}>
              <code>{subject.sub}</code>
            </Link>
          </Fact>
        ) : null}
        {client?.ip ? (
          <Fact name="Client">
            <Link to={`/search?ip=${client.ip}`}>
              <code>{client.ip}</code>
            </Link>{" "}
            {client.country ? countryName(client.country) : null}
          </Fact>
        ) : null}
        {client?.user_agent ? <Fact name="User agent">{client.user_agent}</Fact> : null}
      </Facts>
    </Panel>
  );
}

export function SessionView() {
  return <StoryView kind="sessions" title="Session" parameter="session" />;
}

export function AttemptView() {
  return <StoryView kind="attempts" title="Attempt" parameter="attempt" />;
}
