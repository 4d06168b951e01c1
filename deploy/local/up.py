"""Bring the whole stack up, keep it up until asked to stop, and take it down in order."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local import aws_account, lock, stack_file
from deploy.local.console import Progress
from deploy.local.errors import Interrupted, StackError
from deploy.local.keys import Keys
from deploy.local.layout import DEFAULT_STATE_DIR, Layout
from deploy.local.parts import authsignal, aws, mail, services, valkey
from deploy.local.parts.postgres import Postgres
from deploy.local.ports import Ports, require_free
from deploy.local.process import Child, follow_parent
from deploy.local.settings_files import SettingsWriter
from deploy.local.supervisor import Supervisor

SERVICES = ("challenge", "audit", "gateway")
# Each part and what it cannot do without.
NEEDS = {
    "postgres": (),
    "valkey": (),
    "mail": (),
    "aws": (),
    "authsignal": ("mail",),
    "challenge": ("authsignal", "aws", "valkey"),
    "audit": ("postgres", "aws"),
    "gateway": ("challenge", "audit", "aws", "valkey"),
}
_SERVICE_READY_SECONDS = 90.0


@dataclass(frozen=True)
class Options:
    """What one run is asked to do."""

    state_dir: Path = DEFAULT_STATE_DIR
    port_base: int | None = None
    origins: Sequence[str] = ()
    only: Sequence[str] = tuple(NEEDS)
    with_parent: bool = False

    def parts(self) -> set[str]:
        """Return the parts to start: those asked for, and everything that they need."""
        wanted: set[str] = set()
        waiting = list(self.only)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting += NEEDS[name]
        return wanted


def up(options: Options, progress: Progress) -> None:
    """
    Run the stack until SIGINT, SIGTERM or SIGHUP.

    Raises:
        StackError: It could not start, or a part of it died.
    """
    # Keys and accounts are in what the parts write: none of it is for other users of this machine.
    os.umask(0o077)
    layout = Layout(options.state_dir.resolve())
    try:
        layout.make()
    except OSError as exc:
        raise StackError(
            f"State cannot be kept in {layout.root}: {exc.strerror}. Give another directory: --state-dir DIR"
        ) from exc
    with lock.held(layout.lock_file), Supervisor(layout) as supervisor:
        if options.with_parent:
            follow_parent(signal.SIGTERM)
        stack = Stack(options, layout, supervisor, progress)
        try:
            stack.start()
            supervisor.watch()
        except Interrupted:
            pass
        finally:
            layout.stack_file.unlink(missing_ok=True)
        with progress.step("Stopped"):
            killed = supervisor.stop_all()
    for name in killed:
        progress.say(f"{name} did not stop in time and was killed.")


class Stack:
    """The parts of one run."""

    def __init__(self, options: Options, layout: Layout, supervisor: Supervisor, progress: Progress) -> None:
        self._layout, self._supervisor, self._progress = layout, supervisor, progress
        self._parts = options.parts()
        self._ports = Ports.from_base(options.port_base)
        self._origins = [f"http://localhost:{self._ports.gateway}", *options.origins]
        self._keys = Keys(layout.secrets)
        self._postgres = Postgres(layout, self._keys, self._ports.postgres)
        self._aws: aws_account.AwsResources | None = None

    def start(self) -> None:
        """
        Start every part that was asked for, and publish ``stack.json`` when all are ready.

        Raises:
            StackError: A port is taken, a program is missing, or a part did not come up.
            Interrupted: The person asked to stop.
        """
        self._layout.stack_file.unlink(missing_ok=True)
        self._require_free_ports()
        self._start_foundations()
        if "authsignal" in self._parts:
            self._start_authsignal()
        if "aws" in self._parts:
            with self._progress.step("AWS resources from the template"):
                self._aws = aws_account.set_up(self._keys, self._ports.aws, challenge_port=self._ports.challenge)
        if self._parts & set(SERVICES):
            self._start_services()
        database_url = self._postgres.url("countersign_owner") if "postgres" in self._parts else None
        stack_file.write(
            self._layout.stack_file, stack_file.describe(self._layout, self._ports, self._keys, self._aws, database_url)
        )
        self._progress.table("Ready. Ctrl-C stops everything.", self._rows())

    def _require_free_ports(self) -> None:
        listening = set(self._parts) | ({"smtp"} if "mail" in self._parts else set())
        require_free({name: port for name, port in self._ports.by_name().items() if name in listening})

    def _start_foundations(self) -> None:
        """Start what depends on nothing, all at once: on two cores the slowest decides."""
        supervisor, ports = self._supervisor, self._ports
        started: dict[str, tuple[Child, Callable[[], bool]]] = {}
        if "aws" in self._parts:
            child = supervisor.start(aws.command(self._layout, self._keys, ports.aws))
            started["AWS emulator"] = (child, partial(aws.is_ready, ports.aws))
        if "mail" in self._parts:
            child = supervisor.start(mail.command(ports.mail, ports.smtp))
            started["Mail catcher"] = (child, partial(mail.is_ready, ports.mail))
        if "valkey" in self._parts:
            child = supervisor.start(valkey.command(self._layout, ports.valkey))
            started["Valkey"] = (child, partial(valkey.is_ready, ports.valkey))
        if "postgres" in self._parts:
            with self._progress.step("PostgreSQL"):
                self._postgres.prepare()
                self._postgres.start(supervisor)
                self._postgres.create_roles()
        for title, (child, is_ready) in started.items():
            with self._progress.step(title):
                supervisor.wait_ready(child, is_ready)

    def _start_authsignal(self) -> None:
        with self._progress.step("Authsignal simulator"):
            command = authsignal.command(
                self._layout, self._keys, self._ports, self._origins, has_gateway="gateway" in self._parts
            )
            child = self._supervisor.start(command)
            self._supervisor.wait_ready(child, partial(authsignal.is_ready, self._ports.authsignal))

    def _start_services(self) -> None:
        if self._aws is None:
            raise AssertionError("every service needs AWS, see NEEDS")
        writer = SettingsWriter(self._layout, self._keys, self._ports, self._postgres, self._aws, self._origins)
        writer.write_all()
        if "audit" in self._parts:
            with self._progress.step("Audit database migrated"):
                services.migrate(self._layout, writer.path("audit"))
        ports = self._ports.by_name()
        names = [name for name in SERVICES if name in self._parts]
        children = {
            name: self._supervisor.start(services.command(name, writer.path(name), self._aws.access_keys[name]))
            for name in names
        }
        for name, child in children.items():
            with self._progress.step(f"{name.capitalize()} service"):
                is_ready = partial(services.is_ready, ports[name])
                self._supervisor.wait_ready(child, is_ready, timeout_seconds=_SERVICE_READY_SECONDS)

    def _rows(self) -> list[tuple[str, str, str]]:
        ports = self._ports
        rows = [
            ("gateway", "Sign-in app", f"http://localhost:{ports.gateway}", "sign up, sign in, account"),
            ("gateway", "Audit console", f"http://localhost:{ports.gateway}/audit/", f"sign in as {aws_account.AUDITOR_EMAIL}"),
            ("mail", "Inbox", f"http://localhost:{ports.mail}", "every code arrives here"),
            ("challenge", "Challenge service", f"http://localhost:{ports.challenge}", "internal"),
            ("audit", "Audit service", f"http://localhost:{ports.audit}", "internal"),
            ("authsignal", "Authsignal simulator", f"http://localhost:{ports.authsignal}/v1", ""),
            ("aws", "AWS emulator", f"http://127.0.0.1:{ports.aws}", "Cognito, SQS, S3, IAM, CloudFormation"),
            ("postgres", "PostgreSQL", f"127.0.0.1:{ports.postgres}", "audit log"),
            ("valkey", "Valkey", f"127.0.0.1:{ports.valkey}", "attempts, sessions, limits"),
        ]
        shown = [(title, address, purpose) for part, title, address, purpose in rows if part in self._parts]
        return [*shown, ("Everything else", str(self._layout.stack_file), "URLs, ids and keys, for tools and tests")]
