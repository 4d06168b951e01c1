import { toHex, utf8, type Bytes } from "./bytes";
import { checkInclusion, leafHash } from "./merkle";
import { openCheckpoint, type Checkpoint, type VerifierKey } from "./note";
import { parseProof } from "./proofFile";
import { Refused } from "./refused";

/**
 * The check of one entry, in the reader's own browser.
 *
 * It trusts the key alone. Entry, leaf hash, proof and checkpoint may come from anybody, and each is held against the others:
 * the entry's bytes against its leaf hash, the leaf hash against the signed root, the root against the key.
 */

export interface Claim {
  eventId: string;
  /** The entry as the log keeps it, byte for byte; null when it cannot be read. */
  entry: string | null;
  /** Whether it cannot be read because it was erased, and only its hash is left. */
  erased: boolean;
  /** Lower-case hex. */
  leafHash: string;
}

export type StepName = "entry" | "receipt" | "signature" | "path";

export interface Step {
  name: StepName;
  /** What was found, in words. */
  words: string;
  state: "held" | "refused" | "passed_over";
}

export interface Verdict {
  steps: Step[];
  /** Null when something did not hold: the last step says what. */
  proven: { index: number; checkpoint: Checkpoint } | null;
}

/** Checks one entry against a proof file and the trusted key. Never throws for what others sent: the verdict says it. */
export async function checkEntry(claim: Claim, proofText: string, trusted: VerifierKey): Promise<Verdict> {
  const steps: Step[] = [];
  const held = (name: StepName, words: string) => void steps.push({ name, words, state: "held" });
  let at: StepName = "entry";
  try {
    const leaf = await leafOf(claim);
    if (claim.entry === null)
      steps.push({ name: at, words: "The entry was erased. Its hash is what is left to check.", state: "passed_over" });
    else held(at, `Its bytes hash to ${toHex(leaf).slice(0, 16)}…, the leaf that the log names.`);

    at = "receipt";
    const proof = parseProof(proofText);
    if (proof.extra && new TextDecoder().decode(proof.extra) !== `${claim.eventId}:${claim.leafHash}`)
      throw new Refused("The proof was made for another entry.");
    held(at, "The proof file was made for this entry.");

    at = "signature";
    const checkpoint = await openCheckpoint(proof.checkpoint, trusted);
    held(at, `${checkpoint.origin} signed a tree of ${count(checkpoint.size)} leaves, with the key that you trust.`);

    at = "path";
    await checkInclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root);
    held(at, `${String(proof.path.length)} hashes lead from leaf ${count(proof.index)} to the signed root.`);
    return { steps, proven: { index: proof.index, checkpoint } };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    steps.push({ name: at, words: error.message, state: "refused" });
    return { steps, proven: null };
  }
}

async function leafOf({ entry, erased, leafHash: claimed }: Claim): Promise<Bytes> {
  if (!/^[0-9a-f]{64}$/.test(claimed)) throw new Refused("What stands as the leaf hash is no hash.");
  if (entry === null && !erased)
    throw new Refused("The bytes of the entry cannot be read, and nobody erased them: they are damaged.");
  if (entry === null) return Uint8Array.from(claimed.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  const computed = await leafHash(utf8(entry));
  if (toHex(computed) !== claimed)
    throw new Refused("The bytes of the entry do not hash to its leaf: the entry was changed.");
  return computed;
}

const count = (number: number) => new Intl.NumberFormat("en").format(number);
