import { Look } from "@look/Look";
import { DEFAULT_BRAND } from "@look/theme";
import { QueryClientProvider, useQuery, type QueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { brandQuery } from "./api/gateway";
import { createConsoleTheme } from "./density";

/** The operator's brand where the gateway tells it; the page does not wait for that. */
function Branded({ children }: { children: ReactNode }) {
  const { data: brand = DEFAULT_BRAND } = useQuery(brandQuery);
  return (
    <Look brand={brand} themeOf={createConsoleTheme}>
      {children}
    </Look>
  );
}

export function App({ queries, children }: { queries: QueryClient; children: ReactNode }) {
  return (
    <QueryClientProvider client={queries}>
      <Branded>{children}</Branded>
    </QueryClientProvider>
  );
}
