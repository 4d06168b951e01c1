"""A wire that can be cut: between a service and its database or queue."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.contract.ports import free_port
from tests.integration.audit.lab import HOST


@dataclass
class Wire:
    """
    Forwards TCP connections to a port, until told otherwise.

    `cut` ends all connections and refuses new ones. `lose_next` holds bytes: the first answer of the server that contains them
    is swallowed and the connection ended, so that the client never learns that the server did what it was asked.
    """

    target_port: int
    port: int = field(default_factory=free_port)
    is_cut: bool = False
    lose_next: bytes | None = None
    lost_count: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """End all connections and refuse new ones."""
        self.is_cut = True
        for writer in self._writers:
            writer.close()

    def mend(self) -> None:
        """Let connections through again."""
        self.is_cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection."""
        if self.is_cut:
            writer.close()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target_port)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer, None), self._pump(far_reader, writer, far_writer))
        finally:
            self._writers -= {writer, far_writer}

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, server: asyncio.StreamWriter | None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                if server is not None and self.lose_next is not None and self.lose_next in data:
                    self.lose_next = None
                    self.lost_count += 1
                    server.close()
                    break
                target.write(data)
                await target.drain()
        target.close()


@contextlib.asynccontextmanager
async def wire_to(target_port: int) -> AsyncIterator[Wire]:
    """Lay a wire to a port until the block ends."""
    wire = Wire(target_port)
    server = await asyncio.start_server(wire.serve, HOST, wire.port)
    try:
        yield wire
    finally:
        wire.cut()
        server.close()
