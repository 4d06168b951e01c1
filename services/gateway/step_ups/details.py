"""
The details that a step-up is bound to: amount, payee, whatever the business service will check ("dynamic linking").

Two spellings of the same details hash alike, and nothing else does: RFC 8785's rules for the flat objects that we take (sorted
names, no spaces, shortest numbers).
"""

import hashlib
import json
from typing import Final

from shared.problems import InvalidRequest

Detail = str | int | float | bool
Details = dict[str, Detail]

NAMES_MAX: Final = 20
CHARACTERS_MAX: Final = 200


def checked(details: Details) -> Details:
    """
    Return details that are small enough to keep.

    Raises:
        InvalidRequest: Too many names, or a name or value is too long.
    """
    too_long = [name for name, value in details.items() if len(name) > CHARACTERS_MAX or len(str(value)) > CHARACTERS_MAX]
    if len(details) > NAMES_MAX or too_long:
        message = f"Use at most {NAMES_MAX} names, each name and value of at most {CHARACTERS_MAX} characters."
        raise InvalidRequest(extensions={"errors": [{"field": "context", "message": message}]})
    return details


def digest(details: Details) -> str:
    """Return the SHA-256 of details, lower-case hex. Source: RFC 8785, of which flat objects need sections 3.2.2 and 3.2.3."""
    text = json.dumps(
        {name: _shortest(value) for name, value in details.items()},
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _shortest(value: Detail) -> Detail:
    return int(value) if isinstance(value, float) and value.is_integer() else value
