"""What others read: paths of tiles, entry bundles, signed notes, checkpoints, proof files."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.tree.bundles import BundleInvalid, decode_bundle, encode_bundle
from services.audit.tree.checkpoints import Checkpoint, CheckpointInvalid, open_checkpoint, parse_checkpoint
from services.audit.tree.hashing import leaf_hash, node_hash
from services.audit.tree.notes import KeyInvalid, NoteInvalid, Signer, VerifierKey, open_note, sign_note, split_note
from services.audit.tree.proof_file import ProofFile, ProofFileInvalid, parse_proof
from services.audit.tree.proofs import ProofInvalid
from services.audit.tree.tiles import PathInvalid, Tile, edge_of, parse_path, tiles_of

ORIGIN = "log.example.test/audit"
SIGNER = Signer(ORIGIN, bytes(range(32)))
NEXT_SIGNER = Signer(ORIGIN, bytes(range(1, 33)))
KEY = SIGNER.verifier

# A note and its key from the documentation of Go's signed notes, the format's first implementation.
NEUMANN = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
NEUMANN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NEUMANN_NOTE = (
    f"{NEUMANN_TEXT}\n\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(2, 1_234_067), "2/x001/x234/067"),
        (Tile(1, 5, 17), "1/005.p/17"),
        (Tile(63, 1000, 255), "63/x001/000.p/255"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    """
    A tile's path is the one of the specification, and reads back.
    """
    assert tile.path == path
    assert parse_path(path) == (tile, False)
    assert parse_path(tile.bundle_path) == (Tile(0, tile.index, tile.width), True)


@given(st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_path_reads_back(level: int, index: int, width: int) -> None:
    """
    Every tile has one path, which reads back to it.
    """
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == (tile, False)


@pytest.mark.parametrize(
    "path",
    [
        "0/0", "0/1000", "00/000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "64/000", "0/x000/001", "0/001/002", "-1/000",
        "0/000/", "0/000.p/", "entries/0", "entries", "0/x001", "0/00a", "0/000\n", "/0/000", "0/000.p/1/2", "0/000.p/257",
        "0/000.p/999", "0/\u0660\u0660\u0660",
    ],
)  # fmt: skip
def test_other_paths_are_refused(path: str) -> None:
    """
    What is written in another way than the specification's is no path: each tile has one address.
    """
    with pytest.raises(PathInvalid):
        parse_path(path)


def test_tiles_of_the_example() -> None:
    """
    A tree of 70,000 leaves has the tiles that the specification lists for it.
    """
    widths = {level: [tile.width for tile in tiles_of(70_000, level)] for level in range(4)}

    assert widths == {0: [256] * 273 + [112], 1: [256, 17], 2: [1], 3: []}
    assert edge_of(70_000) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert edge_of(256) == [Tile(1, 0, 1)]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_read_back(entries: list[bytes]) -> None:
    """
    A bundle gives back its entries, byte for byte.
    """
    assert decode_bundle(encode_bundle(entries)) == entries


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x05abcd", b"\x00\x01a\x00", b"\xff\xff"])
def test_bundles_that_are_cut_off(data: bytes) -> None:
    """
    A bundle that ends within an entry is refused.
    """
    with pytest.raises(BundleInvalid):
        decode_bundle(data)


def test_bundle_limit() -> None:
    """
    The longest entry fits, one byte more does not.
    """
    assert len(encode_bundle([b"x" * 65_535])) == 65_537
    with pytest.raises(OverflowError):
        encode_bundle([b"x" * 65_536])


def test_a_note_of_another_implementation() -> None:
    """
    A note that Go's implementation signed opens with its published key.
    """
    assert str(NEUMANN) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert open_note(NEUMANN_NOTE, [NEUMANN]) == NEUMANN_TEXT


@given(st.integers(0, len(NEUMANN_NOTE) - 1), st.integers(1, 255))
def test_a_note_with_one_changed_character(place: int, change: int) -> None:
    """
    Whatever single character of a note is changed, it does not open.
    """
    bent = NEUMANN_NOTE[:place] + chr(ord(NEUMANN_NOTE[place]) ^ change) + NEUMANN_NOTE[place + 1 :]
    with pytest.raises(NoteInvalid):
        open_note(bent, [NEUMANN])


def test_two_generations_sign() -> None:
    """
    A note signed by two keys opens with either; the signature of a stranger changes nothing.
    """
    stranger = Signer("stranger.test", bytes(32))
    note = sign_note("text\n", [stranger, SIGNER, NEXT_SIGNER])

    for keys in ([KEY], [NEXT_SIGNER.verifier], [KEY, NEXT_SIGNER.verifier]):
        assert open_note(note, keys) == "text\n"
    with pytest.raises(NoteInvalid, match="no key that you trust"):
        open_note(sign_note("text\n", [stranger]), [KEY])


def test_one_wrong_signature_spoils_the_note() -> None:
    """
    When one known key's signature is wrong a good one beside it does not save the note.
    """
    text, signatures = split_note(sign_note("text\n", [SIGNER, NEXT_SIGNER]))
    name, key_id, signature = signatures[1]
    wrong = base64.b64encode(key_id + signature[:-1] + bytes([signature[-1] ^ 1])).decode()
    good = base64.b64encode(signatures[0][1] + signatures[0][2]).decode()
    note = f"{text}\n\u2014 {name} {good}\n\u2014 {name} {wrong}\n"

    with pytest.raises(NoteInvalid, match="is wrong"):
        open_note(note, [KEY, NEXT_SIGNER.verifier])


@pytest.mark.parametrize(
    "note",
    ["", "text\n", "text\n\n", "text\n\nx\n", "text\n\n\u2014 name\n", "text\n\n\u2014 name !!!!\n",
     "text\n\n\u2014 name AAAA\n", "text\n\n\u2014 name AAAAAAB=\n", "te\txt\n\n\u2014 name AAAAAAAA\n",
     "text\n\n\u2014 na+me AAAAAAAA\n", "text\n\n\u2014 name AAAAAAAA"],
)  # fmt: skip
def test_what_is_no_note(note: str) -> None:
    """
    Text that is not written as a note is refused, never guessed at.
    """
    with pytest.raises(NoteInvalid):
        split_note(note)


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+00000000", str(KEY)[:-4], str(KEY).replace(KEY.key_id.hex(), "00000000"),
     f"na me{str(KEY)[len(ORIGIN) :]}",
     f"{ORIGIN}+{KEY.key_id.hex()}+Ag=="],
)  # fmt: skip
def test_what_is_no_verifier_key(text: str) -> None:
    """
    A verifier key that was cut or mistyped is refused: its id tells.
    """
    with pytest.raises(KeyInvalid):
        VerifierKey.parse(text)


def test_names_of_keys() -> None:
    """
    A key's name holds no plus sign, no space and no newline: notes could be misread.
    """
    for name in ("", "a+b", "a b", "a\u2003b", "a\nb"):
        with pytest.raises(NoteInvalid):
            Signer(name, bytes(32))


@pytest.mark.parametrize("text", ["no newline", "control\x01\n", "half of a pair \ud800\n"])
def test_text_that_cannot_be_signed(text: str) -> None:
    """
    Nothing is signed that could not be read back, and it opens as no note.
    """
    with pytest.raises(NoteInvalid):
        sign_note(text, [SIGNER])
    with pytest.raises(NoteInvalid):
        open_note(sign_note("text\n", [SIGNER]).replace("text\n", text), [KEY])


def test_checkpoint_reads_back() -> None:
    """
    A checkpoint opens to what was signed, with its three lines as specified.
    """
    checkpoint = Checkpoint(ORIGIN, 70_000, bytes(range(32)))
    note = checkpoint.sign([SIGNER])

    assert open_checkpoint(note, [KEY]) == checkpoint
    assert note.splitlines()[:3] == [ORIGIN, "70000", base64.b64encode(bytes(range(32))).decode()]


def test_checkpoint_of_another_log() -> None:
    """
    A trusted key speaks for its own log only.
    """
    other = Signer("other.test", bytes(32))
    note = Checkpoint(ORIGIN, 1, bytes(32)).sign([other])
    with pytest.raises(CheckpointInvalid):
        open_checkpoint(note, [KEY, other.verifier])
    with pytest.raises(CheckpointInvalid, match="another log"):
        open_checkpoint(note, [other.verifier])


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [f"\n1\n{ROOT}\n", f"a\n01\n{ROOT}\n", f"a\n-1\n{ROOT}\n", f"a\n{ROOT}\n", "a\n1\nAAAA\n", "a\n1\n", f"a\n1\n{ROOT}\n\n",
     f"a\n1\n{ROOT}\nx", f"a\n\u0661\n{ROOT}\n", f"a\n1\n{ROOT[:-2]}B=\n"],
)  # fmt: skip
def test_what_is_no_checkpoint(text: str) -> None:
    """
    A checkpoint is written in one way only.
    """
    with pytest.raises(CheckpointInvalid):
        parse_checkpoint(text)


def test_extensions_are_passed_over() -> None:
    """
    Lines behind the root, which a later version may add, do not hinder.
    """
    assert parse_checkpoint(f"a\n1\n{ROOT}\nfuture line\n") == Checkpoint("a", 1, bytes(32))


def proof() -> tuple[ProofFile, bytes]:
    """A proof of the second of two leaves, and its leaf hash."""
    leaves = [leaf_hash(b"one"), leaf_hash(b"two")]
    note = Checkpoint(ORIGIN, 2, node_hash(*leaves)).sign([SIGNER])
    return ProofFile(1, (leaves[0],), note, b"receipt"), leaves[1]


def test_proof_file_reads_back() -> None:
    """
    A proof file reads back and verifies, with its extra line and without.
    """
    made, leaf = proof()
    for one in (made, ProofFile(made.index, made.path, made.checkpoint)):
        assert parse_proof(one.encode()) == one
        assert one.verify(leaf, [KEY]).tree_size == 2
    assert made.encode().splitlines()[:3] == ["c2sp.org/tlog-proof@v1", "extra cmVjZWlwdA==", "index 1"]


def test_proof_of_a_single_leaf() -> None:
    """
    The only leaf of a tree needs no hashes: its file has none, and verifies.
    """
    leaf = leaf_hash(b"one")
    one = ProofFile(0, (), Checkpoint(ORIGIN, 1, leaf).sign([SIGNER]))
    assert parse_proof(one.encode()).verify(leaf, [KEY]).root == leaf


def test_proof_of_something_else() -> None:
    """
    A proof does not verify for another leaf, nor under another key.
    """
    made, leaf = proof()
    with pytest.raises(ProofInvalid):
        made.verify(leaf_hash(b"three"), [KEY])
    with pytest.raises(CheckpointInvalid):
        made.verify(leaf, [NEXT_SIGNER.verifier])


@pytest.mark.parametrize(
    "text",
    ["", "c2sp.org/tlog-proof@v2\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\n\nx", "c2sp.org/tlog-proof@v1\nindex 01\n\nx",
     "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx", "c2sp.org/tlog-proof@v1\nindex 0\n!\n\nx", "c2sp.org/tlog-proof@v1\nindex 0",
     "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\nindex 0\n" + "A" * 43 + "=\n" * 64 + "\n\nx"],
)  # fmt: skip
def test_what_is_no_proof_file(text: str) -> None:
    """
    Text that is not written as a proof file is refused.
    """
    with pytest.raises(ProofFileInvalid):
        parse_proof(text)
