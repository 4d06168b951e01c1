"""Why an archived entry cannot be read. Pure."""

from enum import Enum


class Lack(Enum):
    """The value is for people, after a number of entries."""

    ERASED = "erased"
    # Verifying alone tells it from the one above: the event that names the entry may be behind the end of the archive.
    ERASED_LATER = "erased as the archive ends or later, by the word of the database: not checked here"
    NO_KEYS = "not readable here"
    DAMAGED = "damaged"
