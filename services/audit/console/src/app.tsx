import { MantineProvider } from "@mantine/core";
import { cssVariables, DEFAULT_BRAND, schemeManager } from "@look/theme";
import { QueryClientProvider, useQuery, type QueryClient } from "@tanstack/react-query";
import { useMemo, type ReactNode } from "react";
import { brandQuery } from "./api/gateway";
import { createConsoleTheme } from "./density";

/** The page's style nonce, which the service writes into the document anew for each load. */
function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

/** The operator's brand where the gateway tells it; the page does not wait for that. */
function Look({ children }: { children: ReactNode }) {
  const { data: brand = DEFAULT_BRAND } = useQuery(brandQuery);
  const theme = useMemo(() => createConsoleTheme(brand), [brand]);
  const resolver = useMemo(() => cssVariables(brand), [brand]);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolver}
      colorSchemeManager={schemeManager}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
    >
      {children}
    </MantineProvider>
  );
}

export function App({ queries, children }: { queries: QueryClient; children: ReactNode }) {
  return (
    <QueryClientProvider client={queries}>
      <Look>{children}</Look>
    </QueryClientProvider>
  );
}
