"""One stack for each state directory."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import StackError


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """
    Hold the directory's lock while the block runs; the kernel lets go of it even if this process is killed.

    Raises:
        StackError: Another stack holds it.
    """
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StackError(
                f"A stack already runs on {path.parent} (process {file.read().strip()}). Stop it first, or give "
                "another directory: --state-dir DIR"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
