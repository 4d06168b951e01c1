import { Button } from "@mantine/core";
import { Notice } from "@look/Notice";
import { isMissing, isProblem, wordsForChange } from "../api/problem";
import { confirmUrl } from "../api/gateway";

/**
 * Why something was not done. What needs a fresh proof leads to the page that asks for one; it comes back here, and what was typed
 * is still there. A 404 says that there is no such `thing`; without one, that this service lacks the part.
 */
export function Trouble({ error, thing }: { error: unknown; thing?: string }) {
  if (!error) return null;
  if (isProblem(error, "step_up_required")) {
    return (
      <div>
        <Notice tone="warn" title="Confirm that it is you">
          <p>This needs a proof of the last five minutes. What you typed stays.</p>
        </Notice>
        <Button component="a" href={confirmUrl()} size="sm">
          Confirm
        </Button>
      </div>
    );
  }
  const words =
    !thing && isMissing(error)
      ? { title: "This audit service does not offer that", text: "It may be of an older release than the console." }
      : wordsForChange(error, thing);
  return (
    <Notice tone="danger" title={words.title}>
      <p>{words.text}</p>
    </Notice>
  );
}
