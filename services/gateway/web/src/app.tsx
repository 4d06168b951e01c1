import { QueryClientProvider, useQuery, type QueryClient } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { configQuery } from "./api/queries";
import { ConfigProvider } from "./brand";
import { ActionButton } from "@look/ActionButton";
import { Notice } from "./components/Notice";
import { Waiting } from "./components/Waiting";
import { prepareDevice } from "./lib/authsignal";
import { Look } from "@look/Look";
import { DEFAULT_BRAND } from "@look/theme";
import { wordsFor } from "./words";

interface StartFailedProps {
  error: unknown;
  retry: () => void;
  retrying: boolean;
}

/** Nothing is known yet, not even the brand: just the trouble, and a way on. */
function StartFailed({ error, retry, retrying }: StartFailedProps) {
  const words = wordsFor(error);
  return (
    <main className="cs-alone">
      <Notice tone="danger" title={words.title}>
        <p>{words.text}</p>
      </Notice>
      <ActionButton fullWidth pending={retrying} pendingLabel="Trying again" onClick={retry}>
        Try again
      </ActionButton>
    </main>
  );
}

/** Fetches the gateway's public settings, on which the brand and the ways to sign in depend, then draws the rest. */
function Configured({ children }: { children: ReactNode }) {
  const { data: config, error, refetch, isFetching } = useQuery(configQuery);

  useEffect(() => {
    if (config?.authsignal.tenant_id) prepareDevice(config.authsignal);
  }, [config]);

  return (
    <Look brand={config?.brand ?? DEFAULT_BRAND}>
      {config ? <ConfigProvider value={config}>{children}</ConfigProvider> : null}
      {!config && error ? <StartFailed error={error} retry={() => void refetch()} retrying={isFetching} /> : null}
      {!config && !error ? (
        <main className="cs-alone">
          <Waiting label="Opening" />
        </main>
      ) : null}
    </Look>
  );
}

export function App({ queries, children }: { queries: QueryClient; children: ReactNode }) {
  return (
    <QueryClientProvider client={queries}>
      <Configured>{children}</Configured>
    </QueryClientProvider>
  );
}
