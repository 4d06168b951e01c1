"""Why an archived entry cannot be read. Pure."""

from enum import Enum


class Lack(Enum):
    """The value is for people, after a number of entries."""

    ERASED = "erased"
    NO_KEYS = "not readable here"
    DAMAGED = "damaged"
