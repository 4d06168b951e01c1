import { Button } from "@mantine/core";
import { CopyId } from "@look/CopyId";
import { IconAlertTriangle, IconCheck, IconCircleCheck, IconDownload, IconMinus, IconX } from "@tabler/icons-react";
import { Link } from "react-router";
import { idOf, type RawEntry } from "../../api/client";
import { wordsFor, type Words } from "../../api/problem";
import { Panel } from "../../components/Panel";
import { Waiting } from "../../components/Waiting";
import { count } from "../../lib/format";
import { useKeys, type KnownKeys } from "../../lib/key";
import { saveText } from "../../lib/saveText";
import { useProofCheck } from "../../lib/useProofCheck";
import type { Step, StepName, Verdict } from "../../proof/check";
import { Refused } from "../../proof/refused";
import classes from "./Event.module.css";

const STEP_NAMES: Record<StepName, string> = {
  entry: "Entry and leaf",
  receipt: "Proof file",
  signature: "Signature",
  path: "Path to the root",
};
const ICONS = { held: IconCheck, refused: IconX, passed_over: IconMinus };

/** Whether the event is in the log: worked out here, in this browser, from the signed checkpoint and the key. */
export function ProofPanel({ entry }: { entry: RawEntry }) {
  const check = useProofCheck(entry);
  const keys = useKeys();
  return (
    <Panel title="Is it in the log?" aside="Checked in this browser, by its own code">
      {check.state === "working" ? <Waiting label={check.words} /> : null}
      {check.state === "no_key" ? <NoKey /> : null}
      {check.state === "failed" ? (
        <Result state="unknown" {...failureWords(check.error)}>
          <Button variant="default" onClick={check.retry}>
            Try again
          </Button>
        </Result>
      ) : null}
      {check.state === "done" ? (
        <Outcome verdict={check.verdict} keys={keys} proof={check.proof} entry={entry} />
      ) : null}
    </Panel>
  );
}

function failureWords(error: unknown): Words {
  return error instanceof Refused ? { title: "The key is none", text: error.message } : wordsFor(error, "event");
}

function NoKey() {
  return (
    <Result
      state="unknown"
      title="No key to check with"
      text="This service does not name the log's public key. Give the key that you trust, once."
    >
      <Link to="/key">Give the key</Link>
    </Result>
  );
}

interface ResultProps {
  state: "proven" | "refused" | "unknown";
  title: string;
  text: string;
  children?: React.ReactNode;
}

function Result({ state, title, text, children }: ResultProps) {
  const Icon = state === "proven" ? IconCircleCheck : IconAlertTriangle;
  return (
    <div className={classes.result} data-state={state} role={state === "refused" ? "alert" : "status"}>
      <Icon size={26} stroke={1.7} aria-hidden="true" />
      <div>
        <p className={classes.resultTitle}>{title}</p>
        <p>{text}</p>
        {children}
      </div>
    </div>
  );
}

interface OutcomeProps {
  verdict: Verdict;
  keys: KnownKeys;
  proof: string;
  entry: RawEntry;
}

function Outcome({ verdict, keys, proof, entry }: OutcomeProps) {
  const { proven, steps } = verdict;
  const id = idOf(entry);
  return (
    <div className={classes.proof}>
      {proven ? (
        <Result
          state="proven"
          title="Proven"
          text={`It is leaf ${count(proven.index)} of the ${count(proven.checkpoint.size)} that ${proven.checkpoint.origin} has signed.`}
        />
      ) : (
        <Result state="refused" title="Not proven" text={steps.at(-1)?.words ?? ""}>
          <p>Keep what you see, and raise the alarm.</p>
        </Result>
      )}
      <Steps steps={steps} />
      <div className={classes.proofFoot}>
        <KeyLine keys={keys} />
        <span className={classes.proofTools}>
          <CopyId value={proof} what="proof" hidden />
          <Button
            variant="default"
            leftSection={<IconDownload size={15} />}
            onClick={() => saveText(`${id}.tlog-proof`, proof)}
          >
            Proof file
          </Button>
        </span>
      </div>
    </div>
  );
}

function Steps({ steps }: { steps: Step[] }) {
  return (
    <ol className={classes.steps} aria-label="Steps of the check">
      {steps.map(({ name, words, state }) => {
        const Icon = ICONS[state];
        return (
          <li key={name} data-state={state}>
            <Icon size={16} stroke={2.2} aria-hidden="true" />
            <b>{STEP_NAMES[name]}</b>
            <span>{words}</span>
          </li>
        );
      })}
    </ol>
  );
}

function KeyLine({ keys: { pinned, isDisputed } }: { keys: KnownKeys }) {
  if (!pinned) return null;
  const id = pinned.text.split("+")[1];
  return (
    <p className={classes.keyLine} data-bad={isDisputed || undefined}>
      {isDisputed
        ? "The service names another key now than the one that you trust. "
        : pinned.source === "given"
          ? "Against the key that you gave, "
          : "Against the key that the service named first, "}
      <Link to="/key">{id}</Link>.
    </p>
  );
}
