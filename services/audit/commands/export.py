"""``countersign audit export``: a file of everything that fits, in bounded memory here and there."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

from services.audit.commands.client import AuditClient
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.query import filters
from services.audit.commands.render import print_json

SHOW_SECONDS: Final = 0.2


class Progress:
    """How much has come, on a terminal only."""

    def __init__(self, *, counts_lines: bool) -> None:
        self._counts_lines = counts_lines
        self._shown_at = 0.0
        self._is_shown = sys.stderr.isatty()
        self.byte_count = 0
        self.line_count = 0

    def add(self, piece: bytes) -> None:
        """Count a piece and show the sum now and then."""
        self.byte_count += len(piece)
        self.line_count += piece.count(b"\n") if self._counts_lines else 0
        if self._is_shown and time.monotonic() - self._shown_at >= SHOW_SECONDS:
            self._shown_at = time.monotonic()
            sys.stderr.write(f"\r{self}\x1b[K")
            sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")

    def __str__(self) -> str:
        lines = f"{self.line_count:,} lines, " if self._counts_lines else ""
        return f"{lines}{self.byte_count / 1_000_000:,.1f} MB"


def export(options: Any) -> None:
    """
    Write an export to a file, or to standard output.

    Raises:
        CommandFailed: The service refuses, the file broke off, or it cannot be written here or shown there.
    """
    if options.out == "-" and options.format == "parquet" and sys.stdout.isatty():
        raise CommandFailed("Parquet is nothing for a terminal: give --out a file, or send it through a pipe", USAGE)
    client = AuditClient(*audit_address(options))
    made = client.create_export(options.format, _params(options))
    counts_lines = options.format != "parquet"
    progress = Progress(counts_lines=counts_lines)
    if options.out == "-":
        _fetch(client, made.url, sys.stdout.buffer, progress)
        return
    path = Path(options.out)
    try:
        if path.exists() and not path.is_file():  # Nothing can take the place of a device or a named pipe.
            with path.open("wb") as file:
                _fetch(client, made.url, file, progress)
        else:
            _replace(path, lambda file: _fetch(client, made.url, file, progress))
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror or error}") from error
    if options.json:
        print_json({"file": str(path), "bytes": progress.byte_count, "lines": progress.line_count if counts_lines else None})
    else:
        sys.stdout.write(f"{progress} in {path}\n")


def _replace(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file beside `path` and put it there when it is whole; a link goes on leading to its file."""
    target = path.resolve()
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            write(file)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _fetch(client: AuditClient, url: str, file: BinaryIO, progress: Progress) -> None:
    def write(piece: bytes) -> None:
        file.write(piece)
        progress.add(piece)

    try:
        client.download(url, write)
    finally:
        progress.end()


def _params(options: Any) -> dict[str, str | list[str]]:
    made: dict[str, list[str]] = {}
    for name, value in filters(options):
        made.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in made.items()}
