import { useState, type RefObject } from "react";
import { CODE_LENGTH } from "../components/CodeField";
import type { Words } from "../words";

/** What checking or sending came to: fine, not yet, a line under the code, or a notice above it. */
export type StepResult =
  { ok: true } | { ok: false; wait: true } | { ok: false; code: string } | { ok: false; notice: Words };

export interface CodeEntry {
  code: string;
  /** What is under way, if anything. */
  busy: "check" | "resend" | null;
  result: StepResult;
  error: string | undefined;
  type: (digits: string) => void;
  submit: (digits: string) => void;
  resend: () => void;
  /** A new code was just sent. */
  sentAgain: boolean;
}

/** Holds a code while it is typed and checked; one thing at a time is under way. */
export function useCodeEntry(
  field: RefObject<HTMLInputElement | null>,
  check: (code: string) => Promise<StepResult>,
  resend: () => Promise<StepResult> = () => Promise.resolve({ ok: true }),
): CodeEntry {
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState<"check" | "resend" | null>(null);
  const [result, setResult] = useState<StepResult>({ ok: true });
  const [sentAgain, setSentAgain] = useState(false);
  const error = "code" in result ? result.code : undefined;

  /** Afterwards the code stands selected, so that typing replaces it. */
  async function run(what: "check" | "resend", action: () => Promise<StepResult>) {
    if (busy) return;
    setBusy(what);
    setSentAgain(false);
    const outcome = await action();
    setBusy(null);
    setResult(outcome);
    if (what === "resend" && outcome.ok) {
      setCode("");
      setSentAgain(true);
    }
    field.current?.focus();
    field.current?.select();
  }

  return {
    code,
    busy,
    result,
    error,
    sentAgain,
    type: (digits) => {
      setCode(digits);
      if (error) setResult({ ok: true });
    },
    submit: (digits) => {
      if (digits.length === CODE_LENGTH) return void run("check", () => check(digits));
      setResult({ ok: false, code: "Enter all six digits of the code." });
      field.current?.focus();
    },
    resend: () => void run("resend", resend),
  };
}
