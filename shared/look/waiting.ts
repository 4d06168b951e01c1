import { useEffect, useState } from "react";

/** Waits shorter than this are not worth a flicker on the page. */
export const QUIET_MS = 300;

/** True once `pending` has held for 300 ms; false again at once. */
export function useSlow(pending: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!pending) return;
    const timer = setTimeout(() => setSlow(true), QUIET_MS);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [pending]);
  return pending && slow;
}
