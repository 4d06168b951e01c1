"""The keys of the log: who signs its checkpoints."""

from services.audit.tree.notes import NoteInvalid, Signer, VerifierKey, check_name
from shared.settings import SettingsError, read_keys


def read_signers(path: str, origin: str) -> list[Signer]:
    """
    Read the key file of a log: one or two seeds, 64 hex digits a line. All of them sign every checkpoint.

    A rotation: add the new seed as the second line; when everybody who verifies has the new public key, remove the first.

    Args:
        path: The key file.
        origin: The name of the log, which is the name of its keys.

    Raises:
        SettingsError: The file cannot be read or holds something else, or the origin is no name for a key.
    """
    try:
        check_name(origin)
    except NoteInvalid as error:
        raise SettingsError(f"log_origin: {error}") from error
    seeds = read_keys(path)
    if len(set(seeds)) != len(seeds):
        raise SettingsError(f"key file {path}: both lines are the same key")
    return [Signer(origin, bytes.fromhex(seed)) for seed in seeds]


def verifier_keys(signers: list[Signer]) -> list[VerifierKey]:
    """Return the public halves, in the same order."""
    return [signer.verifier for signer in signers]
