"""A PostgreSQL server of the benchmark's own, as the local stack runs one, and databases in it."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from benchmarks.lab.process import free_port
from deploy.local.keys import Keys
from deploy.local.layout import Layout
from deploy.local.parts.postgres import Postgres
from deploy.local.process import Child
from deploy.local.supervisor import Supervisor
from services.audit.storage.migrate import migrate

# A server that is being filled writes its log over and over otherwise. Commits reach the disk as ever.
SETTINGS: Final = ("max_wal_size = '16GB'", "checkpoint_timeout = '30min'", "wal_compression = on")
# A fifth of the memory of a machine that would hold such a log.
SHARED_BUFFERS: Final = "4GB"
TICKS: Final = os.sysconf("SC_CLK_TCK")


class Cluster:
    """One running server; `url` names a role and a database."""

    def __init__(self, postgres: Postgres, keys: Keys, child: Child) -> None:
        self._postgres = postgres
        self._keys = keys
        self._child = child

    def url(self, role: str, database: str) -> str:
        """Return the URL of a role (``owner``, ``reader``, ...; or ``superuser``) in a database."""
        name = "postgres" if role == "superuser" else f"countersign_{role}"
        password = self._keys.ensure(f"postgres_{role}" if role == "superuser" else f"postgres_{name}")
        return f"postgresql://{name}:{password}@127.0.0.1:{self._postgres.port}/{database}"

    async def create(self, database: str) -> bool:
        """Make a migrated database; False when it is there already."""
        connection = await asyncpg.connect(self.url("superuser", "postgres"))
        try:
            await connection.execute(f"CREATE DATABASE {database} OWNER countersign_owner")
        except asyncpg.DuplicateDatabaseError:
            return False
        finally:
            await connection.close()
        await migrate(self.url("owner", database))
        return True

    async def drop(self, database: str) -> None:
        """Drop a database."""
        connection = await asyncpg.connect(self.url("superuser", "postgres"))
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {database}")
        finally:
            await connection.close()

    async def tune(self) -> None:
        """Set the server up for filling."""
        connection = await asyncpg.connect(self.url("superuser", "postgres"))
        try:
            for setting in SETTINGS:
                await connection.execute(f"ALTER SYSTEM SET {setting}")
            await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close()

    def cpu_seconds(self) -> float:
        """Return the CPU time of the server so far: of its living processes, and of those that it has buried."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:  # Ended meanwhile.
                continue
            if int(stat.parent.name) == self._child.pid:
                total += sum(int(field) for field in fields[11:15])
            elif int(fields[1]) == self._child.pid:
                total += int(fields[11]) + int(fields[12])
        return total / TICKS


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a server on a folder, which is made when it is not there, until the block ends."""
    layout = Layout(folder)
    layout.make()
    keys, supervisor = Keys(layout.secrets), Supervisor(layout)
    postgres = Postgres(layout, keys, free_port(), shared_buffers=SHARED_BUFFERS)
    postgres.prepare()
    child = postgres.start(supervisor)
    try:
        postgres.create_roles()
        cluster = Cluster(postgres, keys, child)
        asyncio.run(cluster.tune())
        yield cluster
    finally:
        supervisor.stop_all()
