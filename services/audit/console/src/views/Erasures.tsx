import { Button, Textarea, TextInput } from "@mantine/core";
import { Notice } from "@look/Notice";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { Link, useSearchParams } from "react-router";
import { api } from "../api/client";
import { erasuresQuery, holdsQuery } from "../api/queries";
import type { Hold } from "../api/types";
import { Badge } from "../components/Bits";
import { List } from "../components/List";
import { Panel, Panels } from "../components/Panel";
import { ROW } from "../components/Shortcuts";
import { Number, Table } from "../components/Table";
import { Trouble } from "../components/Trouble";
import { Line, View } from "../components/View";
import { RowTime } from "../components/When";
import { useDraft } from "../lib/draft";
import { actorName, count } from "../lib/format";
import classes from "./Forms.module.css";

/** The end of a person's data, and what holds that end back. */
export function Erasures() {
  const erasures = useInfiniteQuery(erasuresQuery);
  const holds = useInfiniteQuery(holdsQuery);
  return (
    <View
      title="Erasure and holds"
      lead="Erasing destroys the keys to what a person's events say. Places, hashes, receipts and proofs go on verifying. A hold forbids it."
    >
      <Panels>
        <Panel title="For one subject" span={5}>
          <SubjectForm />
        </Panel>
        <Panel title="Holds" span={7} flush>
          <List query={holds} what="legal holds" empty="No hold stands.">
            {(all) => (
              <Table label="Holds" heads={["Since", "Subject", "Reason", "By", ""]}>
                {all.map((hold) => (
                  <HoldRow key={hold.id} hold={hold} />
                ))}
              </Table>
            )}
          </List>
        </Panel>
        <Panel title="Erasures" flush>
          <List query={erasures} what="erasure" empty="Nobody's data was erased yet.">
            {(all) => (
              <Table
                label="Erasures"
                heads={["When", "Subject (keyed reference)", "Reason", "By", "Entries", "Keys", "Files"]}
                numbers={[4, 5]}
              >
                {all.map((one) => (
                  <tr key={one.id}>
                    <td>
                      <RowTime time={one.created_at} />
                    </td>
                    <td>
                      <code>{one.subject_ref}</code>
                    </td>
                    <td>{one.reason}</td>
                    <td>{actorName(one.by)}</td>
                    <Number>{count(one.erased_entries)}</Number>
                    <Number>{count(one.erased_keys)}</Number>
                    <td>
                      {one.compacted_at ? <Badge tone="good">clean</Badge> : <Badge tone="warn">to be compacted</Badge>}
                    </td>
                  </tr>
                ))}
              </Table>
            )}
          </List>
        </Panel>
      </Panels>
    </View>
  );
}

function SubjectForm() {
  const queries = useQueryClient();
  const [search, setSearch] = useSearchParams();
  const [subject, setSubject] = useState(search.get("subject") ?? "");
  const [reason, setReason] = useDraft("erasure-reason");
  const [typed, setTyped] = useState("");
  // It stands in the address as well, and so outlives the way to a confirmation and back.
  const name = (given: string) => {
    setSubject(given);
    setSearch(given ? { subject: given } : {}, { replace: true });
  };
  const done = () => {
    setReason("");
    setTyped("");
    void queries.invalidateQueries();
  };
  const hold = useMutation({ mutationFn: () => api.hold(subject.trim(), reason.trim()), onSuccess: done });
  const erase = useMutation({ mutationFn: () => api.erase(subject.trim(), reason.trim()), onSuccess: done });
  const isReady = subject.trim() !== "" && reason.trim() !== "";
  const isSure = typed.trim().toLowerCase() === "erase";

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isReady && isSure) erase.mutate();
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label="Subject"
        description="The id of the account (sub)."
        value={subject}
        spellCheck={false}
        onChange={(event) => name(event.currentTarget.value)}
      />
      <Textarea label="Reason" rows={2} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <TextInput
        label="To erase, type: erase"
        description="It cannot be taken back. To place a hold, leave this empty."
        value={typed}
        autoComplete="off"
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <Line>
        <Button size="sm" variant="default" loading={hold.isPending} disabled={!isReady} onClick={() => hold.mutate()}>
          Place a hold
        </Button>
        <Button type="submit" size="sm" color="red" loading={erase.isPending} disabled={!isReady || !isSure}>
          Erase for good
        </Button>
      </Line>
      {erase.data ? (
        <Notice tone="info" title="Erased">
          <p>
            {count(erase.data.erased_entries)} entries can no longer be read through the service. Their proofs still
            verify.
          </p>
          {erase.data.compacted_at ? null : (
            <p>
              The database&apos;s files still hold it until <code>python -m services.audit compact</code> has run.
            </p>
          )}
        </Notice>
      ) : null}
      {hold.data ? <Notice tone="info" title="The hold stands" /> : null}
      <Trouble error={erase.error ?? hold.error} />
    </form>
  );
}

function HoldRow({ hold }: { hold: Hold }) {
  const queries = useQueryClient();
  const release = useMutation({
    mutationFn: () => api.release(hold.id),
    onSettled: () => queries.invalidateQueries(holdsQuery),
  });
  return (
    <tr>
      <td>
        <RowTime time={hold.created_at} />
      </td>
      <td>
        {hold.subject === null ? (
          "erased since"
        ) : (
          <Link to={`/subjects/${hold.subject}`} {...ROW}>
            <code>{hold.subject.slice(0, 13)}</code>
          </Link>
        )}
      </td>
      <td>{hold.reason}</td>
      <td>{actorName(hold.created_by).slice(0, 13)}</td>
      <td>
        {hold.released_at ? (
          <Badge>released</Badge>
        ) : (
          <Button variant="subtle" loading={release.isPending} onClick={() => release.mutate()}>
            Release
          </Button>
        )}
        <Trouble error={release.error} thing="hold" />
      </td>
    </tr>
  );
}
