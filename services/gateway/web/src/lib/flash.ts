import { useLocation } from "react-router";

/** One line that the next page shows: why the person is there. */
export type Flash = "signed_out" | "session_expired";

export function flashState(flash: Flash): { flash: Flash } {
  return { flash };
}

export function useFlash(): Flash | null {
  const state: unknown = useLocation().state;
  if (typeof state !== "object" || state === null || !("flash" in state)) return null;
  return state.flash === "signed_out" || state.flash === "session_expired" ? state.flash : null;
}
