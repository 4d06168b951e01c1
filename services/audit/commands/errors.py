"""What a command tells a person when it cannot do its work."""

from typing import Final

FAILED: Final = 1
USAGE: Final = 2


class CommandFailed(Exception):
    """One line for a person, and the exit code: 1 for "it did not work", 2 for "ask differently"."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
