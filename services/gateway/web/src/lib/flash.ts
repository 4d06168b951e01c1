import { useLocation } from "react-router";

/** One line that the next page shows: why the person is there. */
export type Flash = (typeof FLASHES)[number];

const FLASHES = ["signed_out", "signed_out_everywhere", "session_expired"] as const;

export function flashState(flash: Flash): { flash: Flash } {
  return { flash };
}

export function useFlash(): Flash | null {
  const state: unknown = useLocation().state;
  if (typeof state !== "object" || state === null || !("flash" in state)) return null;
  return FLASHES.find((flash) => flash === state.flash) ?? null;
}
