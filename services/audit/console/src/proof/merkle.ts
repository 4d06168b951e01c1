import { concat, isEqual, type Bytes } from "./bytes";
import { Refused } from "./refused";

/** The hashes of the log's tree. Source: RFC 6962 section 2.1; the check is RFC 9162 section 2.1.3.2. */

export const HASH_BYTES = 32;

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** SHA-256 over a zero byte and the entry. */
export function leafHash(entry: Uint8Array): Promise<Bytes> {
  return sha256(concat(Uint8Array.of(0), entry));
}

/** SHA-256 over a one byte and the two hashes below. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(concat(Uint8Array.of(1), left, right));
}

const half = (value: number) => Math.floor(value / 2);
const isOdd = (value: number) => value % 2 === 1;

/**
 * The root that a leaf and its path lead to.
 *
 * `index` is 0-based and `size` is the number of leaves; both are at most 2^53 - 1, so that they are exact. Throws `Refused` when
 * the path is too short or too long for such a leaf.
 */
export async function rootFrom(leaf: Bytes, index: number, size: number, path: Uint8Array[]): Promise<Bytes> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size)
    throw new Refused("The place that the proof names is not in the tree.");
  if (leaf.length !== HASH_BYTES) throw new Refused("The hash of the entry is not 32 bytes long.");
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) throw new Refused("The proof holds more hashes than the tree is high.");
    if (isOdd(node) || node === last) {
      hash = await nodeHash(sibling, hash);
      while (node !== 0 && !isOdd(node)) [node, last] = [half(node), half(last)];
    } else {
      hash = await nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw new Refused("The proof holds too few hashes for this tree.");
  return hash;
}

/** Throws `Refused` unless the leaf is where the proof says, under this root. */
export async function checkInclusion(
  leaf: Bytes,
  index: number,
  size: number,
  path: Uint8Array[],
  root: Uint8Array,
): Promise<void> {
  if (!isEqual(await rootFrom(leaf, index, size, path), root))
    throw new Refused("The proof does not lead to the signed root: the entry is not in the log as it stands here.");
}
