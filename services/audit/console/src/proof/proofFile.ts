import { fromBase64, type Bytes } from "./bytes";
import { HASH_BYTES } from "./merkle";
import { Refused } from "./refused";

/** Proof files. Source: C2SP tlog-proof. */

const HEADER = "c2sp.org/tlog-proof@v1";
const INDEX = /^index (0|[1-9][0-9]{0,18})$/;
// As high as any tree of 64-bit size is.
const HASHES_MAX = 63;

export interface ProofFile {
  index: number;
  path: Bytes[];
  /** The signed note, not yet verified. */
  checkpoint: string;
  /** What the file says that it proves. Nobody signs it. */
  extra: Bytes | null;
}

/** Takes a proof file apart; throws `Refused` when it is none. */
export function parseProof(text: string): ProofFile {
  const gap = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(gap, 0)).split("\n");
  if (gap < 0 || lines.shift() !== HEADER) throw new Refused("This is no proof file.");
  const extra = lines[0]?.startsWith("extra ") ? decode(lines.shift()?.slice("extra ".length)) : null;
  const index = INDEX.exec(lines.shift() ?? "")?.[1];
  if (index === undefined) throw new Refused("The proof file names no place in the tree.");
  if (lines.length > HASHES_MAX) throw new Refused("The proof file holds more hashes than any tree is high.");
  const path = lines.map(decode);
  if (path.some((hash) => hash.length !== HASH_BYTES))
    throw new Refused("A hash in the proof file is not 32 bytes long.");
  return { index: Number(index), path, checkpoint: text.slice(gap + 2), extra };
}

function decode(text: string | undefined): Bytes {
  const bytes = fromBase64(text ?? "");
  if (!bytes) throw new Refused("A line of the proof file is no base64.");
  return bytes;
}
