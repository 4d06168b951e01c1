"""
The keyed reference by which the log says whose records were read, without saying who that is.

A read about people holds one reference for each of them, so that somebody who knows an account can be told who looked at it,
and whoever reads the log alone learns nothing: not even an erased person's reads lead back to the person.
"""

import hmac
from collections.abc import Iterable, Sequence
from typing import Final

from services.audit.filtering.sql import subjects_of
from services.audit.storage.search import Filters

# 128 bits: enough that no two people share one, short enough for a page that shows a thousand.
REF_BYTES: Final = 16
# Keeps these from being the e-mail hash of anything, which is made with the same key.
LABEL: Final = b"countersign.audit.subject_ref\0"


def subject_ref(sub: str, key: str) -> bytes:
    """Return the reference of an account under one key, as in the key file."""
    return hmac.digest(key.encode(), LABEL + sub.encode("utf-8", "surrogatepass"), "sha256")[:REF_BYTES]


def subject_refs(subs: Iterable[str], keys: Sequence[str]) -> list[str]:
    """Return the references of accounts under the first key, in hex, sorted and each once."""
    return sorted({subject_ref(sub, keys[0]).hex() for sub in subs})


def asked_about(filters: Filters) -> frozenset[str]:
    """Return the accounts that a search names, found or not."""
    named = frozenset({filters.subject}) if filters.subject is not None else frozenset()
    return named | (subjects_of(filters.expression) or frozenset())
