import { serverNow } from "@look/clock";
import { useSyncExternalStore } from "react";

// One clock for all rows: a list of a thousand times must not have a thousand timers.
const EVERY_MS = 5_000;
const listeners = new Set<() => void>();
let now = serverNow();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  timer ??= setInterval(() => {
    now = serverNow();
    for (const one of listeners) one();
  }, EVERY_MS);
  return () => {
    listeners.delete(changed);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time by the service's clock, drawn anew every five seconds. */
export function useTicker(): number {
  return useSyncExternalStore(subscribe, () => now);
}
