import { createContext, useContext } from "react";
import { DEFAULT_BRAND, type Brand } from "@look/theme";
import type { Config } from "./api/types";

const ConfigContext = createContext<Config | null>(null);
export const ConfigProvider = ConfigContext.Provider;

/** The gateway's public settings. Throws outside of `ConfigProvider`: no page is drawn before they are there. */
export function useConfig(): Config {
  const config = useContext(ConfigContext);
  if (!config) throw new Error("useConfig needs a ConfigProvider above it");
  return config;
}

export function useBrand(): Brand {
  return useContext(ConfigContext)?.brand ?? DEFAULT_BRAND;
}
