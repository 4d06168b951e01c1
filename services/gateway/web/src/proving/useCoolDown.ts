import { useEffect, useRef, useState } from "react";
import { secondsUntil, useNow } from "@look/clock";

/** Times come in whole seconds, cut off: a press in the last fraction of one would be refused. */
const MARGIN_SECONDS = 1;

/** Seconds until it may be sent again, and `words` for screen readers at the moment when it may. */
export function useCoolDown(resendAt: string, words: string): { seconds: number; said: string } {
  const now = useNow(500);
  const seconds = secondsUntil(resendAt, now - MARGIN_SECONDS * 1000);
  const waiting = seconds > 0;
  const before = useRef(waiting);
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (before.current !== waiting) setSaid(waiting ? "" : words);
    before.current = waiting;
  }, [waiting, words]);
  return { seconds, said };
}
