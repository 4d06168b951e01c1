"""Identifiers: UUIDv7, and the checks that every id passes before it may reach a URL or a key."""

import os
import re
import time
from typing import Final
from uuid import UUID

ACTION_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def uuid7() -> UUID:
    """
    Return a time-ordered identifier: 48 bits of Unix milliseconds, then 74 random bits.

    Ids made by one process within one millisecond are not ordered among themselves; order by `occurred_at` and `seq`.

    Source: RFC 9562 section 5.7.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | (random & 0x3FFF_FFFF_FFFF_FFFF)
    return UUID(int=value)


def is_uuid(text: str) -> bool:
    """Say whether `text` is a UUID in the one spelling that we use: lower case with dashes."""
    return UUID_TEXT.fullmatch(text) is not None


def is_action_code(text: str) -> bool:
    """Say whether Authsignal takes `text` as an action code: 1 to 64 of A-Z a-z 0-9 _ -."""
    return ACTION_CODE.fullmatch(text) is not None
