import type { RefObject, SubmitEvent } from "react";
import { ActionButton } from "@look/ActionButton";
import { CodeField } from "../../../../components/CodeField";
import { Notice } from "../../../../components/Notice";
import { SdkRefused } from "../../../../lib/authsignal";
import type { CodeEntry, StepResult } from "../../../../proving/useCodeEntry";
import { wordsFor } from "../../../../words";

/** What checking a code came to; a wrong one is said at the field, in `wrong`. */
export async function checked(check: () => Promise<unknown>, wrong: string): Promise<StepResult> {
  try {
    await check();
    return { ok: true };
  } catch (error) {
    if (error instanceof SdkRefused && error.failure === "wrong_code") return { ok: false, code: wrong };
    return { ok: false, notice: wordsFor(error) };
  }
}

interface CodeFormProps {
  field: RefObject<HTMLInputElement | null>;
  entry: CodeEntry;
  label: string;
}

/** Asks for the six digits that show that something new works. */
export function CodeForm({ field, entry, label }: CodeFormProps) {
  return (
    <form
      noValidate
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault();
        entry.submit(entry.code);
      }}
    >
      {"notice" in entry.result ? (
        <Notice tone="danger" title={entry.result.notice.title}>
          <p>{entry.result.notice.text}</p>
        </Notice>
      ) : null}
      <CodeField ref={field} value={entry.code} error={entry.error} onChange={entry.type} onComplete={entry.submit} />
      <ActionButton type="submit" fullWidth pending={entry.busy === "check"} pendingLabel="Checking">
        {label}
      </ActionButton>
    </form>
  );
}
