"""Whom an erasure or a hold means, and how the log names leaves: pure."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from services.audit.reading import hash_bytes
from services.audit.storage.keys import owner_of
from shared.events import email_hash

# Of ordinary leaf numbers as many fill half an entry.
RUNS_MAX: Final = 2_000

Run = tuple[int, int]


class Subject(NamedTuple):
    """A person: an account, or an address (one hash for each live key of the deployment), or both."""

    sub: str | None
    addresses: tuple[bytes, ...]

    @property
    def owner(self) -> str:
        """The name under which the person is remembered."""
        owner = owner_of(self.sub, self.addresses[0] if self.addresses else None)
        if owner is None:
            raise AssertionError("a subject is somebody")
        return owner

    @property
    def name(self) -> str:
        """The account, else the address as its keyed hash."""
        return self.sub if self.sub is not None else self.addresses[0].hex()


def parse_subject(text: str, email_hash_keys: Sequence[str]) -> Subject:
    """
    Read whom somebody means.

    Args:
        text: An e-mail address, an ``email_hash``, or else the ``sub`` of an account.
        email_hash_keys: The live keys as hex, as in the key file.
    """
    text = text.strip()
    if "@" in text:
        return Subject(None, tuple(bytes.fromhex(email_hash(text, key.encode())) for key in email_hash_keys))
    address = hash_bytes(text)
    return Subject(text, ()) if address is None else Subject(None, (address,))


def written(runs: Iterable[Run]) -> str:
    """Return leaves as an event names them: ``0-3,17``; of a run the first is inclusive, the last exclusive."""
    return ",".join(f"{first}" if end == first + 1 else f"{first}-{end - 1}" for first, end in runs)


def in_parts(runs: Sequence[Run], runs_max: int = RUNS_MAX) -> list[Sequence[Run]]:
    """Return the runs in parts that fit an entry."""
    return [runs[start : start + runs_max] for start in range(0, len(runs), runs_max)]
