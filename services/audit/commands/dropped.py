"""What the log says of the months that were dropped: asked of the service, or kept in a copy of the log."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.errors import CommandFailed
from services.audit.retention.statement import StatementInvalid, open_statement
from services.audit.tree.notes import VerifierKey

FOLDER: Final = "retention"


class Statement(msgspec.Struct, frozen=True):
    """A signed statement about a month that was dropped."""

    month: str
    note: str


class Statements(msgspec.Struct, frozen=True):
    """All of them."""

    statements: list[Statement]


def statements(client: AuditClient) -> list[Statement]:
    """Return the service's statements."""
    answer: Statements = decoded(client.read("/v1/retention"), Statements)
    return answer.statements


def kept_statements(folder: Path) -> list[Statement]:
    """Return the statements in a copy of the log."""
    return [Statement(file.stem, file.read_text(encoding="utf-8")) for file in sorted((folder / FOLDER).glob("*.note"))]


def keep_statements(found: Sequence[Statement], folder: Path) -> None:
    """Put statements into a copy of the log."""
    for one in found:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        # A month is dropped once: what is there is left as it is.
        path = folder / FOLDER / f"{Path(one.month).name}.note"
        if not path.exists():
            path.write_text(one.note, encoding="utf-8")


def dropped_runs(found: Sequence[Statement], keys: Sequence[VerifierKey]) -> list[tuple[int, int]]:
    """
    Return the leaves that were dropped: first inclusive, last exclusive.

    Raises:
        CommandFailed: A statement is not the log's own.
    """
    try:
        return [run for one in found for run in open_statement(one.note, keys).runs]
    except StatementInvalid as error:
        raise CommandFailed(f"do not trust a statement about what was dropped: {error}") from error
