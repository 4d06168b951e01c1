import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import classes from "./CopyId.module.css";

interface CopyIdProps {
  value: string;
  /** What is copied, for the button's name: "session id". */
  what: string;
  /** What goes to the clipboard, where it is not what is shown. */
  copied?: string;
  /** Only the button: for values that nobody reads. */
  hidden?: boolean;
}

type State = "idle" | "copied" | "failed";

const SAID: Record<State, string> = { idle: "", copied: "Copied", failed: "Could not copy. Select the text instead." };

/** An id that can be read, selected and copied. */
export function CopyId({ value, what, copied = value, hidden = false }: CopyIdProps) {
  const [state, setState] = useState<State>("idle");

  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2500);
    return () => clearTimeout(timer);
  }, [state]);

  function copy() {
    navigator.clipboard.writeText(copied).then(
      () => setState("copied"),
      () => setState("failed"),
    );
  }

  const Icon = state === "copied" ? IconCheck : IconCopy;
  return (
    <span className={classes.row}>
      <span className={classes.pair}>
        {hidden ? null : <code className={classes.value}>{value}</code>}
        <button
          type="button"
          className={classes.button}
          onClick={copy}
          aria-label={`Copy ${what}`}
          title={`Copy ${what}`}
        >
          <Icon size={17} stroke={1.8} aria-hidden="true" />
        </button>
      </span>
      <span role="status" className={classes.said}>
        {SAID[state]}
      </span>
    </span>
  );
}
