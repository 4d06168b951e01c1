"""The simulator as a process: restarts keep accounts, and what is wrong at start is one line."""

import contextlib
import http.client
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.mailbox import Mailbox
from tests.contract.node import NodeSdk
from tests.contract.simulator import Simulator

SERVERS_USUAL_IDLE_SECONDS = 5.0  # uvicorn's own choice


@pytest.fixture
def own(tmp_path: Path, mailbox: Mailbox) -> Iterator[Simulator]:
    """A simulator of this test's own, running."""
    simulator = Simulator(tmp_path, smtp_port=mailbox.port)
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.mark.parametrize("end", [Simulator.stop, Simulator.kill], ids=["stopped", "killed"])
def test_restart_keeps_accounts_tokens_and_pending_codes(
    own: Simulator, user_id: str, email: str, end: Callable[[Simulator], object]
) -> None:
    """
    After a stop, and after a kill, users, factors and actions are there, tokens are good, and a code sent before works.
    """
    node = NodeSdk(own)
    try:
        enrolment = {"verificationMethod": "EMAIL_OTP", "email": email}
        node.call("enrollVerifiedAuthenticator", {"userId": user_id, "attributes": enrolment})
        tracked = node.call("track", {"userId": user_id, "action": "signIn"})
        pending = node.call("challenge", {"verificationMethod": "EMAIL_OTP", "action": "signUp", "email": email})
        code = own.code(email)

        end(own)
        own.start()

        assert node.call("getUser", {"userId": user_id})["enrolledVerificationMethods"] == ["EMAIL_OTP"]
        valid = node.call("validateChallenge", {"token": tracked["token"]})
        assert (valid["state"], valid["idempotencyKey"]) == ("CHALLENGE_REQUIRED", tracked["idempotencyKey"])
        request = {"challengeId": pending["challengeId"], "verificationCode": code}
        assert node.call("verify", request)["isVerified"] is True
    finally:
        node.close()


def test_stop_is_clean(tmp_path: Path, mailbox: Mailbox) -> None:
    """
    Asked to stop, the process ends with code 0 and leaves no write-ahead log beside its state file.
    """
    simulator = Simulator(tmp_path, smtp_port=mailbox.port)
    simulator.start()
    assert simulator.stop() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["authsignal-secret", "authsignal.sqlite"]


def test_an_idle_connection_is_the_clients_to_close(own: Simulator) -> None:
    """
    A connection that was idle for seconds still takes a call: what is on its way just then is never lost.
    """
    connection = http.client.HTTPConnection("127.0.0.1", own.port)
    statuses = []
    with contextlib.closing(connection):
        for seconds in (0.0, SERVERS_USUAL_IDLE_SECONDS + 1):
            time.sleep(seconds)
            connection.request("GET", "/control/health")
            with connection.getresponse() as answer:
                answer.read()
            statuses.append(answer.status)

    assert statuses == [200, 200]


# SIGTERM comes inside a weak reference's callback, after the ready line and before the server hears signals itself.
_STOP_BEFORE_THE_SERVER_HEARS = """
import signal, sys, uvicorn, weakref
from deploy.local.authsignal.__main__ import main

def run(server, **arguments):
    thing = type("Thing", (), {})()
    watch = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
    del thing
    real(server, **arguments)

real, uvicorn.Server.run = uvicorn.Server.run, run
sys.exit(main(sys.argv[1:]))
"""


def test_stop_is_never_lost(tmp_path: Path, mailbox: Mailbox) -> None:
    """
    A stop that comes where Python drops exceptions, before the server listens to signals, still ends it with code 0.
    """
    python, _, _, *arguments = Simulator(tmp_path, smtp_port=mailbox.port).command()
    command = [python, "-c", _STOP_BEFORE_THE_SERVER_HEARS, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["authsignal-secret", "authsignal.sqlite"]


def _refused(command: list[str]) -> str:
    """Run a command that must fail at start, and give back its one line."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("authsignal simulator: ")
    return line


def test_port_in_use_is_one_line(tmp_path: Path, mailbox: Mailbox) -> None:
    """
    A port that is taken is named in one line.
    """
    simulator = Simulator(tmp_path, smtp_port=mailbox.port)
    with socket.create_server(("127.0.0.1", simulator.port)):
        assert f"cannot listen on 127.0.0.1:{simulator.port}" in _refused(simulator.command())


def test_state_file_serves_one_process(own: Simulator) -> None:
    """
    A second simulator on the same state file is refused.
    """
    assert str(own.state_file) in _refused(own.command("--port", "0"))


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["--smtp", "nowhere"], "--smtp needs HOST:PORT"),
        (["--set", "email_sends_max=none"], "email_sends_max"),
        (["--set", "unknown=1"], "unknown"),
        (["--secret-key-file", "/nonexistent"], "/nonexistent"),
    ],
)
def test_bad_argument_is_one_line(tmp_path: Path, mailbox: Mailbox, extra: list[str], expected: str) -> None:
    """
    An argument that makes no sense is named in one line.
    """
    assert expected in _refused(Simulator(tmp_path, smtp_port=mailbox.port).command(*extra))


@pytest.mark.parametrize("keys", ["", "short", "\n".join("abc"[n] * 64 for n in range(3))], ids=["none", "short", "three"])
def test_unusable_secret_key_file_is_one_line(tmp_path: Path, mailbox: Mailbox, keys: str) -> None:
    """
    A file with no key, a short one, or three is refused in one line that does not show a key.
    """
    simulator = Simulator(tmp_path, smtp_port=mailbox.port)
    simulator.key_file.write_text(keys)
    line = _refused(simulator.command())
    assert str(simulator.key_file) in line
    assert not any(key in line for key in keys.split() if len(key) == 64)


def test_state_file_of_another_kind_is_one_line(tmp_path: Path, mailbox: Mailbox) -> None:
    """
    A state file that is no database is refused, and left as it is.
    """
    simulator = Simulator(tmp_path, smtp_port=mailbox.port)
    simulator.state_file.write_text("precious notes, not a database at all" * 10)
    assert str(simulator.state_file) in _refused(simulator.command())
    assert simulator.state_file.read_text().startswith("precious notes")


def test_tunables_can_be_set_at_start(tmp_path: Path, mailbox: Mailbox) -> None:
    """
    What `--set` names is in force from the start, and a reset goes back to it.
    """
    simulator = Simulator(tmp_path, smtp_port=mailbox.port)
    simulator.start("--set", "email_sends_max=2", "--set", "token_duration_seconds=30", "--set", "methods=EMAIL_OTP")
    try:
        simulator.tune(email_sends_max=5)
        simulator.reset()
        settings = simulator.control("GET", "/settings")
    finally:
        simulator.stop()
    assert (settings["email_sends_max"], settings["token_duration_seconds"]) == (2, 30)
