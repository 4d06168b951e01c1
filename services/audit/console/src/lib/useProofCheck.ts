import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, idOf, type RawEntry } from "../api/client";
import { isProblem } from "../api/problem";
import { checkEntry, type Verdict } from "../proof/check";
import { parseKey } from "../proof/note";
import { pinKey, useKeys } from "./key";

export type ProofState =
  | { state: "working"; words: string }
  | { state: "no_key" }
  | { state: "failed"; error: unknown; retry: () => void }
  | { state: "done"; verdict: Verdict; proof: string };

/** Fetches the proof of an entry and checks it here, against the key that this browser trusts. */
export function useProofCheck(entry: RawEntry): ProofState {
  const keys = useKeys();
  const { pinned, named } = keys;
  const [unfit, setUnfit] = useState<unknown>(null);
  const first = named?.[0];
  const id = idOf(entry);

  useEffect(() => {
    if (pinned === null && first !== undefined) pinKey(first, "noted").then(() => setUnfit(null), setUnfit);
  }, [pinned, first]);

  const proof = useQuery({
    queryKey: ["proof", id],
    queryFn: () => api.proof(id),
    staleTime: Infinity,
    // A fresh event has no place in the tree for up to a second.
    retry: (failures, error) => failures < 10 && isProblem(error, "not_sealed_yet", "unreachable"),
    retryDelay: 700,
  });
  const check = useQuery({
    queryKey: ["check", id, pinned?.text, proof.data],
    queryFn: async () =>
      checkEntry(
        { eventId: id, entry: entry.raw, erased: entry.erased === true, leafHash: entry.leaf_hash },
        proof.data ?? "",
        await parseKey(pinned?.text ?? ""),
      ),
    enabled: pinned !== null && proof.data !== undefined,
    staleTime: Infinity,
  });

  const error = (pinned === null ? (keys.error ?? unfit) : null) ?? proof.error ?? check.error;
  if (error) {
    const retry = () => {
      if (pinned === null) void keys.refetch();
      if (proof.error) void proof.refetch();
      else if (check.error) void check.refetch();
    };
    return { state: "failed", error, retry };
  }
  if (check.data && proof.data) return { state: "done", verdict: check.data, proof: proof.data };
  if (pinned === null && named?.length === 0) return { state: "no_key" };
  const waits = isProblem(proof.failureReason, "not_sealed_yet");
  return { state: "working", words: waits ? "Waiting for the next checkpoint" : "Checking the proof" };
}
