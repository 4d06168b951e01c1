"""An export as a stream of bytes."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from services.audit.exporting.formats import COLUMNS, ENTRY, LINES, Format, Record, parquet_row
from services.audit.parquet import ParquetWriter

CHUNK_BYTES: Final = 256 * 1024


async def file_bytes(export_format: Format, pages: AsyncIterator[list[Record]]) -> AsyncIterator[bytes]:
    """Yield the bytes of a file with these records: memory holds a page of them at most."""
    if export_format is Format.PARQUET:
        async for chunk in _parquet(pages):
            yield chunk
        return
    head, line = LINES[export_format]
    if first := head():
        yield first
    async for page in pages:
        yield b"".join(map(line, page))


async def _parquet(pages: AsyncIterator[list[Record]]) -> AsyncIterator[bytes]:
    # The footer of a Parquet file needs all of it, so it is made on disk first.
    with tempfile.TemporaryDirectory(prefix="countersign-export-") as name:
        folder = Path(name)
        path = folder / "export.parquet"
        with ParquetWriter(folder, (*COLUMNS, ENTRY)) as writer:
            async for page in pages:
                await asyncio.to_thread(writer.add, [parquet_row(record) for record in page])
            await asyncio.to_thread(writer.write, path)
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk
