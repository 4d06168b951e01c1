import { useCallback, useEffect, useState } from "react";
import { idOf, withQuery, type Query } from "../api/client";
import type { Entry } from "../api/types";
import { serviceUrl } from "./base";

const ENTRIES_MAX = 500;
// The service says every 15 seconds that sealing stands still, for as long as it does.
const NOTICE_MS = 40_000;

export type TailState = "off" | "connecting" | "live" | "lost";

interface Arrivals {
  /** What arrived since, newest first, at most 500. */
  entries: Entry[];
  /** How many more arrived that are no longer held: they lie between `entries` and what a search found before. */
  dropped: number;
}

export interface Tail extends Arrivals {
  state: TailState;
  /** What the service has to say: that sealing stands still, that the search is too broad. */
  notice: string | null;
  /** Lets go of what arrived: a search that is made after this finds it. */
  forget: () => void;
}

type Known = Omit<Tail, "forget">;

const NOTHING: Known = { state: "connecting", entries: [], dropped: 0, notice: null };

interface Kept extends Known {
  /** What was asked for: what arrived for one question is no answer to the next. */
  url: string;
}

/**
 * Follows the log as it grows.
 *
 * `opened` is called each time the line begins at the end of the log, so that nothing falls between it and a search. A line that was
 * cut goes on behind the last entry that it brought.
 */
export function useTail(query: Query, enabled: boolean, opened: () => void): Tail {
  const [tail, setTail] = useState<Kept>({ ...NOTHING, url: "" });
  // The search has the past, and a tail has no end.
  const url = serviceUrl(withQuery("/v1/events/tail", { ...query, from: undefined, to: undefined }));

  useEffect(() => {
    if (!enabled) return;
    const source = new EventSource(url);
    const change = (next: (tail: Known) => Partial<Known>) =>
      setTail((known) => {
        const own = known.url === url ? known : { ...NOTHING, url };
        return { ...own, ...next(own) };
      });

    let hasPlace = false;
    source.onopen = () => {
      change(() => ({ state: "live" }));
      if (!hasPlace) opened();
    };
    // The browser connects again by itself, from the last event that it saw, unless it was refused.
    source.onerror = () => change(() => ({ state: source.readyState === EventSource.CLOSED ? "lost" : "connecting" }));

    // A busy log brings more entries than there are pictures to draw. A page out of sight draws none, and holds no more than one.
    let waiting: Arrivals = { entries: [], dropped: 0 };
    let frame = 0;
    source.addEventListener("entry", (event: MessageEvent<string>) => {
      hasPlace = true;
      waiting = arrive(waiting, { entries: [JSON.parse(event.data) as Entry], dropped: 0 });
      frame ||= requestAnimationFrame(() => {
        const batch = waiting;
        waiting = { entries: [], dropped: 0 };
        frame = 0;
        change((known) => arrive(known, batch));
      });
    });

    let silence: ReturnType<typeof setTimeout> | undefined;
    const say = (event: MessageEvent<string>) => {
      const { detail } = JSON.parse(event.data) as { detail: string };
      clearTimeout(silence);
      change(() => ({ notice: detail }));
    };
    source.addEventListener("notice", (event: MessageEvent<string>) => {
      say(event);
      silence = setTimeout(() => change(() => ({ notice: null })), NOTICE_MS);
    });
    // It would be the same problem again for as often as the browser asked.
    source.addEventListener("problem", (event: MessageEvent<string>) => {
      say(event);
      source.close();
      change(() => ({ state: "lost" }));
    });
    return () => {
      source.close();
      cancelAnimationFrame(frame);
      clearTimeout(silence);
      setTail({ ...NOTHING, url: "" });
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `opened` may be new at every drawing, the line must not be
  }, [url, enabled]);

  const forget = useCallback(() => setTail((known) => ({ ...known, entries: [], dropped: 0 })), []);
  if (!enabled) return { ...NOTHING, state: "off", forget };
  return { ...(tail.url === url ? tail : NOTHING), forget };
}

function arrive(known: Arrivals, batch: Arrivals): Arrivals {
  const ids = new Set(known.entries.map(idOf));
  const entries = [...batch.entries.filter((entry) => !ids.has(idOf(entry))), ...known.entries];
  const over = Math.max(0, entries.length - ENTRIES_MAX);
  return { entries: entries.slice(0, ENTRIES_MAX), dropped: known.dropped + batch.dropped + over };
}
