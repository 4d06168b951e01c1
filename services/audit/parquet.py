"""
Parquet files from rows, of any number, in bounded memory: rows are spooled to a file, and DuckDB sorts and writes them.

Nothing here reaches the network: DuckDB's extensions are neither loaded nor fetched.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple

import duckdb
import msgspec

# A look-up of one subject reads few of these; larger ones would save no bytes worth having.
ROW_GROUP_ROWS: Final = 8_192
MEMORY: Final = "256MB"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

ColumnType = Literal["VARCHAR", "BIGINT", "TIMESTAMP", "BLOB"]
# How a type travels through the spool, which is JSON, and what makes it of that again.
_SPOOLED: Final[dict[ColumnType, tuple[str, str]]] = {
    "VARCHAR": ("VARCHAR", "{0}"),
    "BIGINT": ("BIGINT", "{0}"),
    "TIMESTAMP": ("BIGINT", "make_timestamp({0})"),
    "BLOB": ("VARCHAR", "from_base64({0})"),
}


class Column(NamedTuple):
    """A column: BLOB takes bytes, TIMESTAMP takes microseconds since 1970 in UTC; one that is not kept only sorts."""

    name: str
    type: ColumnType
    is_kept: bool = True


def microseconds(moment: datetime) -> int:
    """Return a time as a TIMESTAMP column takes it."""
    return (moment - EPOCH) // MICROSECOND


def open_duckdb(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database that spills to a folder and loads nothing from anywhere."""
    return duckdb.connect(
        ":memory:",
        config={
            "memory_limit": MEMORY,
            "threads": 1,
            "temp_directory": str(folder),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


class ParquetWriter:
    """
    Collects rows, then writes them as one file.

    Args:
        folder: Where to spool: it needs room for all rows, uncompressed, twice when they are sorted.
        columns: In the order of the rows' values.
        order_by: Columns to sort by; in the order of arrival without any.

    Every method blocks: call it off the loop.
    """

    def __init__(self, folder: Path, columns: Sequence[Column], *, order_by: Sequence[str] = ()) -> None:
        self._folder = folder
        self._columns = columns
        self._order_by = order_by
        self._path = folder / "rows.ndjson"
        self._spool = self._path.open("wb")
        self._encoder = msgspec.json.Encoder()
        self.row_count = 0

    def __enter__(self) -> "ParquetWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._spool.close()
        self._path.unlink(missing_ok=True)

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows."""
        names = [column.name for column in self._columns]
        lines = [dict(zip(names, row, strict=True)) for row in rows]
        self._spool.write(self._encoder.encode_lines(lines))
        self.row_count += len(lines)

    def write(self, path: Path) -> None:
        """Write what was added to a file."""
        self._spool.close()
        types = ", ".join(f"{column.name}: '{_SPOOLED[column.type][0]}'" for column in self._columns)
        values = ", ".join(
            f"{_SPOOLED[column.type][1].format(column.name)} AS {column.name}" for column in self._columns if column.is_kept
        )
        order = f"ORDER BY {', '.join(f'{name} NULLS FIRST' for name in self._order_by)}" if self._order_by else ""
        # The names and types are ours; only the paths come from outside this module.
        sql = f"""
        COPY (
            SELECT {values} FROM (
                SELECT * FROM read_json({quoted(str(self._path))}, format = 'newline_delimited', columns = {{{types}}}) {order}
            )
        ) TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 9, ROW_GROUP_SIZE {ROW_GROUP_ROWS})
        """  # noqa: S608 - fixed fragments and quoted paths only
        with open_duckdb(self._folder) as database:
            database.execute(sql)
