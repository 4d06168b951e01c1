import { Button, Textarea } from "@mantine/core";
import { CopyId } from "@look/CopyId";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { Link, useParams } from "react-router";
import { api } from "../api/client";
import { quarantinedQuery } from "../api/queries";
import type { Quarantined } from "../api/types";
import { Loaded } from "../components/Loaded";
import { Fact, Facts, Panel, Panels } from "../components/Panel";
import { Scroll } from "../components/Scroll";
import { Trouble } from "../components/Trouble";
import { View } from "../components/View";
import { When } from "../components/When";
import { REASONS } from "../lib/reasons";
import classes from "./Forms.module.css";

/** One line in quarantine, as it came; and the way to make an entry of it. */
export function QuarantinedView() {
  const { id = "" } = useParams();
  const query = useQuery(quarantinedQuery(id));
  return (
    <View title="Line in quarantine" lead={<Link to="/quarantine">All lines</Link>}>
      <Loaded query={query} what="the line" thing="line">
        {(line) => (
          <Panels>
            <Why line={line} />
            <Panel title="Repair" span={7}>
              {line.repaired_as ? (
                <p>
                  It was repaired as <Link to={`/events/${line.repaired_as}`}>{line.repaired_as}</Link>. The line below
                  is kept.
                </p>
              ) : (
                <Repair line={line} />
              )}
            </Panel>
            <Panel title="As it came">
              <Scroll className={classes.text} label="The line as it came">
                {line.text ?? line.bytes_base64 ?? "Nothing."}
              </Scroll>
            </Panel>
          </Panels>
        )}
      </Loaded>
    </View>
  );
}

function Why({ line }: { line: Quarantined }) {
  return (
    <Panel title="Why it is here" span={5}>
      <Facts>
        <Fact name="Reason">
          {line.reason}. {REASONS[line.reason]}
        </Fact>
        {line.detail ? <Fact name="Detail">{line.detail}</Fact> : null}
        <Fact name="Received">
          <When time={line.received_at} />
        </Fact>
        {line.message_id ? (
          <Fact name="Message">
            <CopyId value={line.message_id} what="message id" /> line {line.line_no}
          </Fact>
        ) : null}
        {line.instance ? (
          <Fact name="Producer">
            <CopyId value={line.instance} what="instance" /> {line.seq === null ? "" : `number ${String(line.seq)}`}
          </Fact>
        ) : null}
        {line.sha256 ? (
          <Fact name="SHA-256">
            <CopyId value={line.sha256} what="SHA-256" />
          </Fact>
        ) : null}
      </Facts>
    </Panel>
  );
}

function Repair({ line }: { line: Quarantined }) {
  const queries = useQueryClient();
  const [entry, setEntry] = useState(line.text ?? "");
  const repair = useMutation({
    mutationFn: () => api.repair(String(line.id), entry),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["quarantine"] }),
  });

  const isChanged = entry.trim() !== "" && entry !== line.text;

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isChanged) repair.mutate();
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <Textarea
        className={classes.mono}
        label="The entry as it should have been"
        description="It goes into the log under your name, linked to this line. The line itself stays as it is."
        rows={7}
        value={entry}
        spellCheck={false}
        onChange={(event) => setEntry(event.currentTarget.value)}
      />
      <div>
        <Button type="submit" size="sm" loading={repair.isPending} disabled={!isChanged}>
          Put it into the log
        </Button>
      </div>
      <Trouble error={repair.error} thing="line" />
    </form>
  );
}
