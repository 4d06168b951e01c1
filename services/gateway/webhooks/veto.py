"""
The veto: whose proofs do not count, whatever they prove.

Authsignal asks before an action succeeds (`action.verify`), and any answer but 2xx stops it. The list is a file that operators
edit while the gateway runs: one account's sub a line, ``#`` begins a remark. It is read anew for every question, so that an
entry counts from the next proof on, on every copy that sees the file. Without a file everybody's proofs count; with one that
cannot be read, nobody's do.
"""

from pathlib import Path
from typing import Final

LISTED: Final = "account_on_veto_list"
UNREADABLE: Final = "veto_list_unreadable"


class Veto:
    """
    Knows whose proofs do not count.

    Args:
        path: The file, or None for none.
    """

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path is not None else None

    def ruling(self, sub: str | None) -> str | None:
        """Return why the proof of an account does not count, or None when it does."""
        if self._path is None:
            return None
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return UNREADABLE
        listed = {line.partition("#")[0].strip().lower() for line in lines} - {""}
        return LISTED if (sub or "").lower() in listed else None
