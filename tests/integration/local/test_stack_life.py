"""Start, stop, restart, and everything that can go wrong in between."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.ports import Ports
from tests.integration.local.processes import alive, child_named, descendants, listening
from tests.stack import RunningStack, StackNotStarted, free_port_base

Start = Callable[..., RunningStack]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start stacks that share one state directory and one base; none outlives the test."""
    base = free_port_base()
    started: list[RunningStack] = []

    def begin(only: str) -> RunningStack:
        running = RunningStack(tmp_path / "state", base, ["--only", only])
        started.append(running)
        running.start()
        return running

    yield begin
    for running in started:
        running.stop()


def problem(running: RunningStack) -> list[str]:
    """Return what the stack said was wrong, line by line."""
    return [line for line in running.text().splitlines() if not line.startswith("✓")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_stops_everything_cleanly(start: Start, number: signal.Signals) -> None:
    """Ctrl-C, a service manager or a closed terminal: exit code 0, no process left, no stack.json, ports free."""
    running = start("mail,valkey,postgres")
    children = descendants(running.pid)
    assert len(children) >= 3

    code = running.stop(number)

    assert code == 0
    assert alive(children) == set()
    assert not (running.state_dir / "stack.json").exists()
    start("mail,valkey,postgres")


async def test_a_restart_keeps_what_was_stored(start: Start) -> None:
    """Rows, keys and accounts of the first run are there in the second, by the same addresses and passwords."""
    first = start("postgres,valkey,aws")
    connection = await asyncpg.connect(first["database_url"])
    await connection.execute("CREATE TABLE kept (word text)")
    await connection.execute("INSERT INTO kept VALUES ('still here')")
    await connection.close()
    valkey(first, "SET kept still-here")
    pool = first["aws"]["user_pool_id"]
    make_user(first, "kept@example.test")
    first.stop()

    second = start("postgres,valkey,aws")

    assert second.info == first.info
    connection = await asyncpg.connect(second["database_url"])
    assert await connection.fetchval("SELECT word FROM kept") == "still here"
    await connection.close()
    assert "still-here" in valkey(second, "GET kept")
    second.aws("cognito-idp").admin_get_user(UserPoolId=pool, Username="kept@example.test")


def test_a_child_that_dies_takes_the_stack_down_with_one_clear_line(start: Start) -> None:
    """The line names the part and how it ended, the end of its log follows, and nothing is left running."""
    running = start("mail,valkey")
    children = descendants(running.pid)

    os.kill(child_named(running.pid, "deploy.local.mail"), signal.SIGKILL)

    assert running.wait() == 1
    assert alive(children) == set()
    (line,) = [line for line in problem(running) if line.startswith("✗")]
    assert line.startswith("✗ mail ended unexpectedly (signal SIGKILL).")
    assert "Traceback" not in running.text()


def test_children_follow_a_killed_supervisor(start: Start) -> None:
    """Even when the supervisor cannot stop them, its children do not stay behind."""
    running = start("mail,valkey,postgres,aws")
    children = descendants(running.pid)

    running.stop(signal.SIGKILL)

    assert alive(children) == set()


async def test_postgres_recovers_from_a_crash(start: Start) -> None:
    """After its server was killed in the middle of its work, the next start replays the log and keeps every commit."""
    first = start("postgres")
    connection = await asyncpg.connect(first["database_url"])
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    os.kill(child_named(first.pid, "bin/postgres -D"), signal.SIGKILL)
    connection.terminate()
    assert first.wait() == 1

    second = start("postgres")

    connection = await asyncpg.connect(second["database_url"])
    assert await connection.fetchval("SELECT number FROM kept") == 1
    await connection.close()


async def test_each_database_role_has_its_own_login(start: Start) -> None:
    """Three roles with three passwords; only the owner may create, and a wrong password opens nothing."""
    running = start("postgres")
    owner = running["database_url"]
    roles = {}
    for role in ("writer", "reader"):
        password = (running.state_dir / "secrets" / f"postgres_countersign_{role}").read_text(encoding="ascii").strip()
        roles[role] = f"postgresql://countersign_{role}:{password}@{owner.rpartition('@')[2]}"

    for url in roles.values():
        connection = await asyncpg.connect(url)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE refused (word text)")
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(roles["reader"].replace("reader:", "writer:"))


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    """A port in use ends the start before anything runs, and the line says which port and what to do."""
    base = free_port_base()
    with socket.create_server(("127.0.0.1", Ports.from_base(base).valkey)):
        running = RunningStack(tmp_path / "state", base, ["--only", "mail,valkey"])
        with pytest.raises(StackNotStarted):
            running.start()

    (line,) = running.text().splitlines()
    assert line.startswith(f"✗ Port {base + 15} (valkey) is already in use.")
    assert running.wait() == 1


def test_one_state_directory_serves_one_stack(start: Start) -> None:
    """A second start on the same directory is refused, and names the process that holds it."""
    running = start("mail")
    second = RunningStack(running.state_dir, free_port_base(), ["--only", "mail"])
    second.output = running.output.with_suffix(".second")

    assert second.launch().wait(timeout=30) == 1

    (line,) = second.text().splitlines()
    assert f"(process {running.pid})" in line


def test_stack_json_has_exactly_the_agreed_keys(aws_account: RunningStack) -> None:
    """Tools and tests may rely on these keys, and only their owner may read the file."""
    assert set(aws_account.info) == {
        "gateway_url", "challenge_url", "audit_url", "authsignal", "mail", "aws", "database_url", "audit_token",
        "auditor_email", "log_public_key",
    }  # fmt: skip
    assert set(aws_account["authsignal"]) == {"api_url", "tenant_id", "secret_key", "control_url"}
    assert set(aws_account["mail"]) == {"inbox_url", "smtp_port"}
    assert set(aws_account["aws"]) == {
        "endpoint_url", "region", "access_key_id", "secret_access_key", "user_pool_id", "gateway_client_id",
        "direct_client_id", "audit_queue_url", "audit_dlq_url", "archive_bucket",
    }  # fmt: skip
    assert (aws_account.state_dir / "stack.json").stat().st_mode & 0o777 == 0o600


def test_nobody_else_on_the_machine_may_read_the_state(stack: RunningStack) -> None:
    """Every file that the running stack has written, keys and accounts among them, is its owner's alone."""
    readable = [path for path in stack.state_dir.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]

    assert readable == []


def test_nothing_listens_beyond_this_machine(stack: RunningStack) -> None:
    """Every part of the whole stack listens on loopback alone."""
    addresses = listening(descendants(stack.pid))

    assert addresses
    assert addresses <= {"127.0.0.1", "::1"}


def valkey(running: RunningStack, command: str) -> str:
    """Send one command in Valkey's plain-text form."""
    port = Ports.from_base(running.port_base).valkey
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(1024).decode()


def make_user(running: RunningStack, email: str) -> None:
    """Make an account as an administrator does."""
    running.aws("cognito-idp").admin_create_user(
        UserPoolId=running["aws"]["user_pool_id"],
        Username=email,
        MessageAction="SUPPRESS",
        TemporaryPassword="Aa1!" * 6,
        UserAttributes=[{"Name": "email", "Value": email}],
    )
