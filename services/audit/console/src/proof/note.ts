import { concat, fromBase64, isEqual, toBase64, toHex, utf8, type Bytes } from "./bytes";
import { HASH_BYTES, sha256 } from "./merkle";
import { Refused } from "./refused";

/** Signed notes and the checkpoints in them. Source: C2SP signed-note and tlog-checkpoint. */

const ED25519 = 1;
const KEY_ID_BYTES = 4;
const SIGNATURES_MAX = 100;
const MARK = "\u2014 ";
const SIZE = /^(?:0|[1-9][0-9]{0,18})$/;
const NAME = /^[^\s+]+$/u;

export interface VerifierKey {
  name: string;
  /** The first bytes of a hash over name and key: tells keys with one name apart. */
  id: Bytes;
  key: Bytes;
}

export interface Checkpoint {
  origin: string;
  size: number;
  root: Bytes;
}

interface Signature {
  name: string;
  id: Bytes;
  value: Bytes;
}

function keyId(name: string, material: Uint8Array): Promise<Bytes> {
  return sha256(concat(utf8(`${name}\n`), material)).then((hash) => hash.slice(0, KEY_ID_BYTES));
}

/** Reads `<name>+<id>+<key>`; throws `Refused` when that is no key, or was not copied whole. */
export async function parseKey(text: string): Promise<VerifierKey> {
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(text.trim());
  const [, name = "", id = "", encoded = ""] = match ?? [];
  const material = fromBase64(encoded);
  if (!NAME.test(name) || material?.[0] !== ED25519 || material.length !== 33)
    throw new Refused("This is no key of a log. A key looks like name+id+key, on one line.");
  const actual = await keyId(name, material);
  if (toHex(actual) !== id) throw new Refused("The parts of this key do not belong together. Was it copied whole?");
  return { name, id: actual, key: material.slice(1) };
}

/** The one spelling of a key. */
export function keyText({ name, id, key }: VerifierKey): string {
  return `${name}+${toHex(id)}+${toBase64(concat(Uint8Array.of(ED25519), key))}`;
}

/** Takes a note apart into the text that is signed and its signatures, none of them verified; throws `Refused`. */
export function splitNote(note: string): { text: string; signatures: Signature[] } {
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n")) throw new Refused("The checkpoint carries no signature.");
  const text = note.slice(0, end + 1);
  // eslint-disable-next-line no-control-regex -- exactly these are what a note must not hold
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw new Refused("The checkpoint holds control characters.");
  const lines = note.slice(end + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) throw new Refused("The checkpoint carries too many signatures.");
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): Signature {
  const [name = "", encoded = "", ...more] = line.slice(MARK.length).split(" ");
  const material = fromBase64(encoded);
  if (!line.startsWith(MARK) || more.length > 0 || !NAME.test(name) || !material || material.length <= KEY_ID_BYTES)
    throw new Refused("A signature line of the checkpoint is not written as one.");
  return { name, id: material.slice(0, KEY_ID_BYTES), value: material.slice(KEY_ID_BYTES) };
}

/** Reads the text of a checkpoint; throws `Refused`. Lines behind the third are extensions and passed over. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = "", size = "", encoded = ""] = text.split("\n");
  const root = fromBase64(encoded);
  if (!origin || !SIZE.test(size) || root?.length !== HASH_BYTES)
    throw new Refused("The checkpoint does not name a log, a size and a root.");
  if (!Number.isSafeInteger(Number(size))) throw new Refused("The tree is larger than a browser can count exactly.");
  return { origin, size: Number(size), root };
}

async function isSignedBy({ key }: VerifierKey, text: string, signature: Bytes): Promise<boolean> {
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError")
      throw new Refused("This browser cannot check Ed25519 signatures. Update it, or use countersign audit verify.");
    throw new Refused("The key is no Ed25519 key.");
  }
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, utf8(text));
}

/**
 * Returns the checkpoint in a note that the trusted key has signed; throws `Refused`.
 *
 * Signatures of other keys are passed over; one in the name of the trusted key that does not verify spoils the note.
 */
export async function openCheckpoint(note: string, trusted: VerifierKey): Promise<Checkpoint> {
  const { text, signatures } = splitNote(note);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== trusted.name)
    throw new Refused(`This is a checkpoint of another log: ${checkpoint.origin}.`);
  const own = signatures.filter(({ name, id }) => name === trusted.name && isEqual(id, trusted.id));
  if (own.length === 0) throw new Refused("The key that you trust has not signed this checkpoint.");
  for (const { value } of own) {
    if (!(await isSignedBy(trusted, text, value))) throw new Refused("The signature under the checkpoint is wrong.");
  }
  return checkpoint;
}
