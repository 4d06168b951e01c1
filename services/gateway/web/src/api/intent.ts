import { useRef } from "react";
import { isProblem } from "./problem";

/**
 * Sends one write per intention of the person.
 *
 * Each intention has its own idempotency key. An answer, good or bad, ends it; when nothing came back, the same
 * request keeps its key, so that trying again cannot do the thing twice.
 */
export function useIntent(): <Result>(body: object, send: (key: string) => Promise<Result>) => Promise<Result> {
  const open = useRef<{ key: string; body: string } | null>(null);
  return async (body, send) => {
    const text = JSON.stringify(body);
    if (open.current?.body !== text) open.current = { key: crypto.randomUUID(), body: text };
    try {
      const result = await send(open.current.key);
      open.current = null;
      return result;
    } catch (error) {
      if (!isProblem(error) || error.answered) open.current = null;
      throw error;
    }
  };
}
