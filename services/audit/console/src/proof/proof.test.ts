import { describe, expect, it } from "vitest";
import { concat, fromBase64, toBase64, toHex, utf8, type Bytes } from "./bytes";
import { checkEntry, type Claim, type Verdict } from "./check";
import { checkInclusion, leafHash, nodeHash, rootFrom } from "./merkle";
import { keyText, openCheckpoint, parseCheckpoint, parseKey, splitNote } from "./note";
import { parseProof } from "./proofFile";
import { Refused } from "./refused";
import { ENTRY, EVENT_ID, KEY, LEAF_HASH, NEXT_KEY, PROOF } from "./vectors";

const hex = (text: string): Bytes => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));

// The inputs, roots and inclusion proofs of the reference implementation of RFC 6962.
const INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const [A, B, C, D, E] = [
  "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
  "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
  "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
  "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
  "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
];
const INCLUSION: [index: number, size: number, path: (string | undefined)[]][] = [
  [0, 1, []],
  [0, 8, [A, B, C]],
  [5, 8, [D, E, ROOTS[4]]],
  [2, 3, [ROOTS[2]]],
  [1, 5, [ROOTS[1], B, D]],
];

// A note and its key from the documentation of Go's signed notes, the format's first implementation.
const NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NEUMANN_NOTE =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n" +
  "\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/** The definition of RFC 6962 section 2.1, word for word. */
async function naiveRoot(hashes: Bytes[]): Promise<Bytes> {
  if (hashes.length === 1) return hashes[0] as Bytes;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(await naiveRoot(hashes.slice(0, split)), await naiveRoot(hashes.slice(split)));
}

async function naivePath(index: number, hashes: Bytes[]): Promise<Bytes[]> {
  if (hashes.length === 1) return [];
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)];
  return index < split
    ? [...(await naivePath(index, left)), await naiveRoot(right)]
    : [...(await naivePath(index - split, right)), await naiveRoot(left)];
}

describe("tree", () => {
  it.each(INCLUSION)("accepts RFC 6962's proof of leaf %i of %i", async (index, size, path) => {
    const leaf = await leafHash(hex(INPUTS[index] ?? ""));
    const siblings = path.map((text) => hex(text ?? ""));
    expect(toHex(await rootFrom(leaf, index, size, siblings))).toBe(ROOTS[size]);
  });

  it("accepts the proof of every leaf of every small tree, and none that is bent", async () => {
    for (let size = 1; size <= 20; size += 1) {
      const leaves = await Promise.all(
        Array.from({ length: size }, (_, place) => leafHash(Uint8Array.of(place, size))),
      );
      const root = await naiveRoot(leaves);
      for (const [index, leaf] of leaves.entries()) {
        const path = await naivePath(index, leaves);
        await checkInclusion(leaf, index, size, path, root);
        const other = new Uint8Array(32);
        const bent: Parameters<typeof checkInclusion>[] = [
          [other, index, size, path, root],
          [leaf, index, size, path, other],
          [leaf, index, size, [...path, other], root],
          [leaf, size, size, path, root],
          [leaf, -1, size, path, root],
          [leaf.slice(1), index, size, path, root],
          ...(path.length > 0 ? [[leaf, index, size, path.slice(1), root] as Parameters<typeof checkInclusion>] : []),
        ];
        for (const one of bent) await expect(checkInclusion(...one)).rejects.toBeInstanceOf(Refused);
      }
    }
  });

  it("knows what a browser cannot count exactly", async () => {
    await expect(rootFrom(new Uint8Array(32), 2 ** 53, 2 ** 53 + 2, [])).rejects.toBeInstanceOf(Refused);
  });
});

describe("notes", () => {
  it("opens a note that another implementation signed", async () => {
    const key = await parseKey(NEUMANN);
    expect(keyText(key)).toBe(NEUMANN);
    const { text, signatures } = splitNote(NEUMANN_NOTE);
    const imported = await crypto.subtle.importKey("raw", key.key, { name: "Ed25519" }, false, ["verify"]);
    const [signature] = signatures;
    expect(signature?.id).toEqual(key.id);
    const value = signature?.value ?? new Uint8Array();
    expect(await crypto.subtle.verify({ name: "Ed25519" }, imported, value, utf8(text))).toBe(true);
  });

  it.each([
    ["", "nothing"],
    ["PeterNeumann", "a name alone"],
    [NEUMANN.replace("c74f20a3", "c74f20a4"), "another id"],
    [NEUMANN.slice(0, -4), "cut off"],
    [NEUMANN.replace("PeterNeumann", "Peter Neumann"), "a name with a space"],
    [NEUMANN.replace("+AR", "+AB"), "another key"],
  ])("refuses %j as a key: %s", async (text) => {
    await expect(parseKey(text)).rejects.toBeInstanceOf(Refused);
  });

  it.each([KEY, NEXT_KEY])("opens a checkpoint with either generation of its key", async (text) => {
    const checkpoint = await openCheckpoint(parseProof(PROOF).checkpoint, await parseKey(text));
    expect(checkpoint).toMatchObject({ origin: "log.example.test/audit", size: 7 });
  });

  it("passes a stranger's signature over, and is spoilt by a wrong one of its own", async () => {
    const note = parseProof(PROOF).checkpoint;
    const key = await parseKey(KEY);
    await openCheckpoint(note + "\u2014 stranger.test AAAAAAAA\n", key);
    const wrong = toBase64(concat(key.id, new Uint8Array(64)));
    await expect(openCheckpoint(`${note}\u2014 ${key.name} ${wrong}\n`, key)).rejects.toThrow("signature");
    await expect(openCheckpoint(note, await parseKey(NEUMANN))).rejects.toThrow("another log");
  });

  it.each(["", "origin\n", "origin\n07\nAAAA\n", "origin\n7\nAAAA\n", "\n7\n" + toBase64(new Uint8Array(32)) + "\n"])(
    "refuses %j as a checkpoint",
    (text) => {
      expect(() => parseCheckpoint(text)).toThrow(Refused);
    },
  );
});

describe("proof files", () => {
  it("reads what the log wrote", () => {
    const proof = parseProof(PROOF);
    expect(proof.index).toBe(5);
    expect(proof.path).toHaveLength(3);
    expect(new TextDecoder().decode(proof.extra ?? new Uint8Array())).toBe(`${EVENT_ID}:${LEAF_HASH}`);
  });

  it.each([
    PROOF.replace("tlog-proof@v1", "tlog-proof@v2"),
    PROOF.replace("index 5", "index 05"),
    PROOF.replace("index 5", "index -5"),
    PROOF.replace("index 5\n", ""),
    PROOF.replace("\n\n", "\n"),
    PROOF.replace("index 5\n", "index 5\nAAAA\n"),
    PROOF.replace("index 5\n", `index 5\n${`${toBase64(new Uint8Array(32))}\n`.repeat(61)}`),
    "",
  ])("refuses what is not one (%#)", (text) => {
    expect(() => parseProof(text)).toThrow(Refused);
  });
});

describe("the check of an entry", () => {
  const claim: Claim = { eventId: EVENT_ID, entry: ENTRY, erased: false, leafHash: LEAF_HASH };
  const check = async (changes: Partial<Claim> = {}, proof = PROOF, key = KEY): Promise<Verdict> =>
    checkEntry({ ...claim, ...changes }, proof, await parseKey(key));
  const refusal = (verdict: Verdict) => verdict.steps.find((step) => step.state === "refused")?.name;

  it("proves an entry that is in the log, step by step", async () => {
    const verdict = await check();
    expect(verdict.proven).toMatchObject({ index: 5, checkpoint: { size: 7 } });
    expect(verdict.steps.map(({ name, state }) => [name, state])).toEqual([
      ["entry", "held"],
      ["receipt", "held"],
      ["signature", "held"],
      ["path", "held"],
    ]);
  });

  it("refuses an entry that cannot be read and was not erased", async () => {
    expect(refusal(await check({ entry: null }))).toBe("entry");
  });

  it("proves the hash of an erased entry, and says that the bytes are gone", async () => {
    const verdict = await check({ entry: null, erased: true });
    expect(verdict.proven).not.toBeNull();
    expect(verdict.steps[0]).toMatchObject({ name: "entry", state: "passed_over" });
  });

  it("names the step that does not hold", async () => {
    expect(refusal(await check({ entry: ENTRY.replace("1.0", "1") }))).toBe("entry");
    expect(refusal(await check({ entry: null, erased: true, leafHash: "00" }))).toBe("entry");
    expect(refusal(await check({ eventId: EVENT_ID.replace("5", "6") }))).toBe("receipt");
    expect(refusal(await check({}, PROOF.replace("\n7\n", "\n8\n")))).toBe("signature");
    expect(refusal(await check({}, PROOF, NEUMANN))).toBe("signature");
    expect(refusal(await check({}, PROOF.replace("index 5", "index 4")))).toBe("path");
    const [changed, leaf] = [utf8("another"), await leafHash(utf8("another"))];
    const other = { entry: new TextDecoder().decode(changed), leafHash: toHex(leaf) };
    expect(refusal(await check(other))).toBe("receipt");
    expect(refusal(await check(other, PROOF.replace(/extra .*\n/, "")))).toBe("path");
  });

  it("refuses the file with any one character changed", async () => {
    const meaning = PROOF.indexOf("index");
    for (let place = meaning; place < PROOF.length; place += 3) {
      // Lines of the other generation's key count for nothing here, as they should.
      if (place > PROOF.lastIndexOf("\u2014")) break;
      const bent = PROOF.slice(0, place) + String.fromCharCode(PROOF.charCodeAt(place) ^ 1) + PROOF.slice(place + 1);
      expect((await check({}, bent)).proven, `character ${String(place)}`).toBeNull();
    }
  });
});

describe("base64", () => {
  it("has one spelling for each value", () => {
    expect(fromBase64("AAE=")).toEqual(Uint8Array.of(0, 1));
    for (const other of ["AAF=", "AAE", "AAE=\n", "A", "____", "AA=="]) {
      const bytes = fromBase64(other);
      expect(bytes === null || toBase64(bytes) === other).toBe(true);
    }
    expect(fromBase64("AAF=")).toBeNull();
  });
});
