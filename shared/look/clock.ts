import { useEffect, useState } from "react";

// The gateway's clock minus this device's, in milliseconds: deadlines are the gateway's, and devices drift.
let offset = 0;

/** Learns the difference from an answer's `Date` header, which is exact to a second; smaller differences are noise. */
export function learnServerTime(date: string | null): void {
  const server = date ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(server)) return;
  const seen = server + 500 - Date.now();
  offset = Math.abs(seen) < 1500 ? 0 : seen;
}

/** Milliseconds since 1970 by the gateway's clock. */
export function serverNow(): number {
  return Date.now() + offset;
}

/** The gateway's time, drawn anew every `everyMs` milliseconds while the component is there. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Whole seconds from now to an RFC 3339 time, never below 0. */
export function secondsUntil(time: string, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(time) - now) / 1000));
}

/** `9:05` for 545 seconds. */
export function minutesAndSeconds(seconds: number): string {
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, "0")}`;
}
