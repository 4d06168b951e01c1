import { wordsFor } from "../words";
import { ActionButton } from "@look/ActionButton";
import { Page } from "./Page";

interface LoadFailedProps {
  error: unknown;
  retry: () => void;
  retrying: boolean;
}

/** Stands in for a page whose content could not be fetched. */
export function LoadFailed({ error, retry, retrying }: LoadFailedProps) {
  const words = wordsFor(error);
  return (
    <Page title={words.title} lead={words.text}>
      <ActionButton fullWidth pending={retrying} pendingLabel="Trying again" onClick={retry}>
        Try again
      </ActionButton>
    </Page>
  );
}
