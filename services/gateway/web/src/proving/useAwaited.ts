import { useEffect, useEffectEvent, useState } from "react";
import { isProblem } from "../api/problem";
import { secondsUntil, serverNow } from "@look/clock";
import { pause } from "../lib/pause";
import type { Proving } from "./model";

/** The gateway holds each look for some seconds; should something before it answer at once, this keeps us from a storm. */
const BETWEEN_LOOKS_MS = 2_000;
const PAUSE_MS_MAX = 15_000;
/** Failures in a row after which the page says so. One is a hiccup. */
const FAILURES_QUIET = 1;

/**
 * Looks again and again until what is waited for has happened, the page is left, or the time is up.
 *
 * Returns whether looking fails just now.
 */
export function useAwaited(proving: Proving): boolean {
  const [failing, setFailing] = useState(false);
  const { id, method, expires_at } = proving.challenge;
  const look = useEffectEvent((leaving: AbortSignal) => proving.look(leaving));
  const refused = useEffectEvent((error: unknown) => isProblem(error) && proving.refused(error));

  useEffect(() => {
    const left = new AbortController();
    const leaving = left.signal;
    const isLeft = () => leaving.aborted;

    /** One look; returns how long to wait before the next and how many have failed now, null when another is no use. */
    async function once(failures: number): Promise<{ ms: number; failures: number } | null> {
      const began = performance.now();
      try {
        await look(leaving);
        return { ms: Math.max(0, BETWEEN_LOOKS_MS - (performance.now() - began)), failures: 0 };
      } catch (error) {
        const seconds = isProblem(error) ? error.body.retry_after : undefined;
        if (!seconds && isProblem(error) && error.answered && error.status < 500) {
          refused(error);
          return null;
        }
        const ms = seconds ? seconds * 1000 : Math.min(PAUSE_MS_MAX, BETWEEN_LOOKS_MS * 2 ** failures);
        return { ms, failures: failures + 1 };
      }
    }

    async function lookOn() {
      let failures = 0;
      while (!isLeft() && secondsUntil(expires_at, serverNow()) > 0) {
        const looked = await once(failures);
        if (isLeft() || !looked) return;
        failures = looked.failures;
        setFailing(failures > FAILURES_QUIET);
        await pause(looked.ms, leaving);
      }
    }

    void lookOn();
    return () => left.abort();
  }, [id, method, expires_at]);

  return failing;
}
