import { MantineProvider, type MantineThemeOverride } from "@mantine/core";
import { useMemo, type ReactNode } from "react";
import { createBrandTheme, cssVariables, schemeManager, type Brand } from "./theme";

/** The page's style nonce, which the server writes into the document anew for each load. */
function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

interface LookProps {
  brand: Brand;
  /** The theme of a brand, where a page has one of its own. */
  themeOf?: (brand: Brand) => MantineThemeOverride;
  children: ReactNode;
}

/** Everything that is drawn is drawn inside: it has the operator's brand, and the scheme that the person chose. */
export function Look({ brand, themeOf = createBrandTheme, children }: LookProps) {
  const theme = useMemo(() => themeOf(brand), [themeOf, brand]);
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
