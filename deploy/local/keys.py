"""Keys and passwords of the local stack: made once, kept in files that only their owner reads."""

import os
import secrets
import uuid
from collections.abc import Callable
from pathlib import Path


class Keys:
    """The files of one secrets folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """Return the path of one secret."""
        return self._folder / name

    def ensure(self, name: str, make: Callable[[], str] = lambda: secrets.token_hex(32)) -> str:
        """
        Return a secret; make it when this is the first start.

        Args:
            name: The file's name.
            make: What makes it; by default 32 random bytes as 64 hex characters.
        """
        path = self.path(name)
        if not path.exists():
            self.write(name, make())
        return path.read_text(encoding="utf-8").splitlines()[0].strip()

    def ensure_uuid(self, name: str) -> str:
        """Return an identifier that is made once."""
        return self.ensure(name, lambda: str(uuid.uuid4()))

    def write(self, name: str, value: str) -> Path:
        """Replace a secret; a reader sees the old or the new one, never half of it."""
        path = self.path(name)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(value + "\n")
        unfinished.replace(path)
        return path
