import { Button, Textarea } from "@mantine/core";
import { CopyId } from "@look/CopyId";
import { Notice } from "@look/Notice";
import { useQuery } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { checkpointQuery } from "../api/queries";
import { Loaded } from "../components/Loaded";
import { Fact, Facts, Panel, Panels } from "../components/Panel";
import { Scroll } from "../components/Scroll";
import { Line, View } from "../components/View";
import { When } from "../components/When";
import { count } from "../lib/format";
import { forgetKey, pinKey, useKeys, type KnownKeys } from "../lib/key";
import { usePoll } from "../lib/usePoll";
import { openCheckpoint, parseKey } from "../proof/note";
import { Refused } from "../proof/refused";
import classes from "./Forms.module.css";

/** The key that proofs are checked against in this browser, and the newest checkpoint under it. */
export function LogKey() {
  const keys = useKeys();
  return (
    <View
      title="Log key"
      lead="Every proof in this console is checked here, in your browser, against one public key. Give the key that you were handed by somebody you trust; until then the first one that the service named is held to."
    >
      <Panels>
        <Panel title="The key that you trust" span={7}>
          <Trusted keys={keys} />
        </Panel>
        <Panel title="Give a key" span={5}>
          <GiveKey />
        </Panel>
        <Panel title="Newest checkpoint">
          <Newest keys={keys} />
        </Panel>
      </Panels>
    </View>
  );
}

function Trusted({ keys: { pinned, named, isDisputed } }: { keys: KnownKeys }) {
  return (
    <>
      {isDisputed ? (
        <Notice tone="danger" title="The service names another key now">
          <p>
            Proofs are still checked against the key that you trust. If the key was changed on purpose, somebody can
            tell you the new one: give it here. If nobody can, raise the alarm.
          </p>
        </Notice>
      ) : null}
      <Facts>
        <Fact name="Trusted">
          {pinned ? <CopyId value={pinned.text} what="trusted key" /> : "None yet: it is noted with the first proof."}
        </Fact>
        {pinned ? (
          <Fact name={pinned.source === "given" ? "Given by you" : "Noted from the service"}>
            <When time={pinned.since} />
          </Fact>
        ) : null}
        <Fact name="Named by the service">
          {named?.length === 0 ? "None: this process does not seal." : null}
          {named?.map((text) => (
            <div key={text}>
              <CopyId value={text} what="named key" />
            </div>
          ))}
        </Fact>
      </Facts>
      {pinned ? (
        <Button variant="subtle" mt="xs" onClick={forgetKey}>
          Forget it
        </Button>
      ) : null}
    </>
  );
}

function GiveKey() {
  const [text, setText] = useState("");
  const [trouble, setTrouble] = useState("");

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    pinKey(text, "given").then(
      () => {
        setText("");
        setTrouble("");
      },
      (error: unknown) => setTrouble(error instanceof Refused ? error.message : "That did not work."),
    );
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <Textarea
        label="Public key of the log"
        description="One line: name+id+key"
        rows={3}
        value={text}
        error={trouble}
        spellCheck={false}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Line>
        <Button type="submit" size="sm" disabled={!text.trim()}>
          Trust this key
        </Button>
      </Line>
    </form>
  );
}

function Newest({ keys: { pinned } }: { keys: KnownKeys }) {
  const note = useQuery(checkpointQuery);
  usePoll(checkpointQuery.queryKey, 5);
  const check = useQuery({
    queryKey: ["opened", note.data, pinned?.text],
    queryFn: async () => openCheckpoint(note.data ?? "", await parseKey(pinned?.text ?? "")),
    enabled: note.data !== undefined && pinned !== null,
    retry: false,
    staleTime: Infinity,
  });
  return (
    <Loaded query={note} what="the checkpoint">
      {(text) => (
        <div className={classes.form}>
          {check.data ? (
            <p>
              Signed with the key that you trust: <b>{count(check.data.size)} leaves</b> in {check.data.origin}.
            </p>
          ) : null}
          {check.error ? (
            <Notice tone="danger" title="This checkpoint does not hold">
              <p>{check.error.message}</p>
            </Notice>
          ) : null}
          <Scroll className={classes.text} label="Checkpoint">
            {text}
          </Scroll>
        </div>
      )}
    </Loaded>
  );
}
