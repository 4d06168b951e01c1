import { Notice } from "@look/Notice";
import { SdkRefused } from "../lib/authsignal";
import { wordsFor } from "../words";

export { Notice };

/** What came of a ceremony of the browser's: one that the person closed is no fault of anybody's. */
export function SdkNotice({ error }: { error: unknown }) {
  const words = wordsFor(error);
  const isQuiet = error instanceof SdkRefused && error.failure === "dismissed";
  return (
    <Notice tone={isQuiet ? "info" : "danger"} title={words.title}>
      <p>{words.text}</p>
    </Notice>
  );
}

/** A refusal in plain words, with the reference that helps support to find it. */
export function ProblemNotice({ error }: { error: unknown }) {
  const words = wordsFor(error);
  return (
    <Notice tone="danger" title={words.title}>
      <p>{words.text}</p>
    </Notice>
  );
}
