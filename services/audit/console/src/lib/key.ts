import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { keysQuery } from "../api/queries";
import { keyText, parseKey } from "../proof/note";

/**
 * The key that this browser trusts.
 *
 * The first key that the service names is noted; from then on the service is held to it, and a key that it names later counts for
 * nothing until a person takes it. Better still, a person gives the key that they were handed elsewhere.
 */
export interface PinnedKey {
  text: string;
  /** `given` by a person, or `noted` from what the service said of itself the first time. */
  source: "given" | "noted";
  since: string;
}

const PLACE = "countersign.log-key";
const listeners = new Set<() => void>();
let cached: { stored: string | null; pinned: PinnedKey | null } = { stored: null, pinned: null };

function read(): PinnedKey | null {
  const stored = localStorage.getItem(PLACE);
  if (stored !== cached.stored) cached = { stored, pinned: parse(stored) };
  return cached.pinned;
}

function parse(stored: string | null): PinnedKey | null {
  try {
    const value: unknown = JSON.parse(stored ?? "null");
    if (typeof value === "object" && value !== null && "text" in value && typeof value.text === "string")
      return value as PinnedKey;
  } catch {
    // Not ours, or cut off: as good as nothing.
  }
  return null;
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

/** Trusts a key from now on; throws `Refused` when the text is none. */
export async function pinKey(text: string, source: PinnedKey["source"]): Promise<void> {
  const pinned: PinnedKey = { text: keyText(await parseKey(text)), source, since: new Date().toISOString() };
  localStorage.setItem(PLACE, JSON.stringify(pinned));
  for (const changed of listeners) changed();
}

export function forgetKey(): void {
  localStorage.removeItem(PLACE);
  for (const changed of listeners) changed();
}

export interface KnownKeys {
  pinned: PinnedKey | null;
  /** What the service says that its keys are; undefined until it answered. */
  named: string[] | undefined;
  /** Why it is not known what the service names. */
  error: unknown;
  refetch: () => unknown;
  /** The service names keys, and the trusted one is not among them. */
  isDisputed: boolean;
}

export function useKeys(): KnownKeys {
  const pinned = useSyncExternalStore(subscribe, read);
  const { data: named, error, refetch } = useQuery(keysQuery);
  const isDisputed = pinned !== null && named !== undefined && named.length > 0 && !named.includes(pinned.text);
  return { pinned, named, error, refetch, isDisputed };
}
