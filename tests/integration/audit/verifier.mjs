// Checks a log with nothing of this repository: written from the texts of C2SP signed-note, tlog-checkpoint, tlog-tiles and
// tlog-proof, of RFC 6962 and RFC 9162, and of docs/audit-log.md on erased entries, on Node's own crypto.
//
//   node verifier.mjs log URL KEY [TOKEN]        the whole log, entries included when there is a token
//   node verifier.mjs proof FILE KEY ENTRY_FILE  one entry
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const leafHash = (entry) => sha256(Buffer.of(0), entry);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);

class Refused extends Error {}
const refuse = (words) => {
  throw new Refused(words);
};

function openKey(text) {
  const [name, id, encoded] = [text.slice(0, text.indexOf("+")), ...text.slice(text.indexOf("+") + 1).split(/\+(.*)/s)];
  const material = Buffer.from(encoded, "base64");
  if (material[0] !== 1 || material.length !== 33) refuse("the key is no Ed25519 key");
  const keyId = sha256(name, "\n", material).subarray(0, 4);
  if (keyId.toString("hex") !== id) refuse("the key id is wrong");
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), material.subarray(1)]);
  return { name, keyId, key: createPublicKey({ key: spki, format: "der", type: "spki" }) };
}

function openCheckpoint(note, key) {
  const end = note.lastIndexOf("\n\n");
  if (end < 0) refuse("checkpoint: this is no note");
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split("\n").slice(0, -1);
  const ours = lines
    .map((line) => line.match(/^\u2014 ([^ +]+) ([A-Za-z0-9+/]+=*)$/))
    .filter((match) => match?.[1] === key.name)
    .map((match) => Buffer.from(match[2], "base64"))
    .filter((blob) => blob.subarray(0, 4).equals(key.keyId));
  if (!ours.length) refuse("checkpoint: not signed by this key");
  for (const blob of ours) {
    if (!verify(null, Buffer.from(text), key.key, blob.subarray(4))) refuse("checkpoint: the signature is wrong");
  }
  const [origin, size, root] = text.split("\n");
  if (origin !== key.name || !/^(0|[1-9]\d*)$/.test(size)) refuse("checkpoint: it is not written as one");
  return { size: Number(size), root: Buffer.from(root, "base64") };
}

// RFC 6962, section 2.1: the definition, over a function that knows the hashes of perfect subtrees of 256^level leaves.
function treeHash(hashes) {
  if (hashes.length === 0) return sha256("");
  if (hashes.length === 1) return hashes[0];
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(treeHash(hashes.slice(0, split)), treeHash(hashes.slice(split)));
}

function tilePath(index, width) {
  const groups = [String(index % 1000).padStart(3, "0")];
  for (let rest = Math.floor(index / 1000); rest; rest = Math.floor(rest / 1000)) {
    groups.unshift("x" + String(rest % 1000).padStart(3, "0"));
  }
  return groups.join("/") + (width < 256 ? `.p/${width}` : "");
}

async function fetchBytes(url, token) {
  const answer = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} });
  if (!answer.ok) refuse(`${new URL(url).pathname}: status ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

// An erased entry is empty, and a sealed event has named its leaf before.
function* namedByErasure(entry, own) {
  if (!entry.includes("audit.erasure.started")) return;
  const event = JSON.parse(entry);
  if (event.event_type !== "audit.erasure.started" || event.producer.service !== "audit") return;
  for (const run of event.data.leaves.split(",")) {
    const [first, last = first] = run.split("-").map(Number);
    for (let leaf = first; leaf <= last && leaf < own; leaf++) yield leaf;
  }
}

async function checkLog(base, keyText, token) {
  const note = (await fetchBytes(`${base}/log/checkpoint`)).toString();
  const { size, root } = openCheckpoint(note, openKey(keyText));
  let below = null;
  let leaves = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / 256)) {
    const roots = [];
    const all = [];
    for (let index = 0; index * 256 < count; index++) {
      const width = Math.min(256, count - index * 256);
      const path = `tile/${level}/${tilePath(index, width)}`;
      const data = await fetchBytes(`${base}/log/${path}`);
      if (data.length !== width * 32) refuse(`${path}: it has ${data.length} bytes`);
      const hashes = Array.from({ length: width }, (_, place) => data.subarray(place * 32, place * 32 + 32));
      if (below && hashes.some((hash, place) => !hash.equals(below[index * 256 + place]))) {
        refuse(`${path}: it does not hold the roots of the tiles below`);
      }
      all.push(...hashes);
      if (width === 256) roots.push(treeHash(hashes));
    }
    if (level === 0) leaves = all;
    below = roots;
  }
  if (!treeHash(leaves).equals(root)) refuse("checkpoint: its root is not the root of the tiles");
  const empty = new Set();
  let erased = 0;
  for (let index = 0; token && index * 256 < size; index++) {
    const path = `tile/entries/${tilePath(index, Math.min(256, size - index * 256))}`;
    const data = await fetchBytes(`${base}/log/${path}`, token);
    let leaf = index * 256;
    for (let place = 0; place < data.length; leaf++) {
      const length = data.readUInt16BE(place);
      const entry = data.subarray(place + 2, place + 2 + length);
      place += 2 + length;
      if (length === 0) {
        empty.add(leaf);
        continue;
      }
      if (!leafHash(entry).equals(leaves[leaf])) refuse(`${path}: leaf ${leaf} was changed`);
      for (const named of namedByErasure(entry, leaf)) erased += empty.delete(named) ? 1 : 0;
    }
    if (leaf !== Math.min(size, index * 256 + 256)) refuse(`${path}: it ends at leaf ${leaf}`);
  }
  if (empty.size) refuse(`leaf ${[...empty][0]} is lost: it is empty and no erasure names it`);
  return { size, erased, root: root.toString("base64") };
}

// RFC 9162, section 2.1.3.2.
function checkInclusion(leaf, index, size, path, root) {
  if (index >= size) refuse("proof: the leaf is not in the tree");
  let [fn, sn, r] = [index, size - 1, leaf];
  const half = (value) => Math.floor(value / 2);
  for (const p of path) {
    if (sn === 0) refuse("proof: too long");
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r);
      while (fn !== 0 && fn % 2 === 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      r = nodeHash(r, p);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0 || !r.equals(root)) refuse("proof: it does not lead to the root");
}

function checkProof(file, keyText, entryFile) {
  const text = readFileSync(file, "utf8");
  const gap = text.indexOf("\n\n");
  const lines = text.slice(0, gap).split("\n");
  if (lines.shift() !== "c2sp.org/tlog-proof@v1") refuse("proof: this is no proof file");
  if (lines[0].startsWith("extra ")) lines.shift();
  const index = Number(lines.shift().match(/^index (0|[1-9]\d*)$/)[1]);
  const path = lines.map((line) => Buffer.from(line, "base64"));
  const { size, root } = openCheckpoint(text.slice(gap + 2), openKey(keyText));
  checkInclusion(leafHash(readFileSync(entryFile)), index, size, path, root);
  return { size, index };
}

const [what, ...rest] = process.argv.slice(2);
try {
  console.log(JSON.stringify(what === "log" ? await checkLog(...rest) : checkProof(...rest)));
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.log(JSON.stringify({ refused: error.message }));
  process.exitCode = 1;
}
