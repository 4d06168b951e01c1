"""Ports, settings files, keys and the mail store."""

import socket
import tomllib
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local import toml
from deploy.local.__main__ import main
from deploy.local.errors import StackError
from deploy.local.keys import Keys
from deploy.local.mail.store import MESSAGES_MAX, Inbox
from deploy.local.ports import Ports, require_free
from deploy.local.up import Options

scalars = st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.text(st.characters(exclude_categories=["Cs"])))
names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)


def test_a_base_moves_every_port() -> None:
    """The services listen from the base on, the rest from ten above it, and no two on the same port."""
    ports = Ports.from_base(20_000).by_name()

    assert (ports["gateway"], ports["challenge"], ports["audit"]) == (20_000, 20_001, 20_002)
    assert [ports[name] for name in ("authsignal", "mail", "smtp", "aws", "postgres", "valkey")] == list(range(20_010, 20_016))


def test_without_a_base_the_documented_ports_are_used() -> None:
    """Nothing given means the ports of the documentation."""
    assert set(Ports.from_base(None).by_name().values()) == {8000, 8001, 8002, 8100, 8025, 1025, 4566, 55432, 56379}


@pytest.mark.parametrize("base", [0, 80, 65_530, 70_000])
def test_a_base_without_room_is_refused(base: int) -> None:
    """A base below the ports that anybody may use, or too close to the last, is an error in words."""
    with pytest.raises(StackError, match="PORT_BASE"):
        Ports.from_base(base)


def test_a_port_in_use_is_named() -> None:
    """The message names the port, who wanted it, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StackError, match=rf"^Port {port} \(gateway\) is already in use\. .*PORT_BASE"):
            require_free({"gateway": port})


@given(
    st.dictionaries(names, st.one_of(scalars, st.lists(scalars, max_size=3)), max_size=5),
    st.dictionaries(names, scalars, min_size=1, max_size=3),
)
def test_toml_reads_back_as_it_was(plain: dict[str, object], table: dict[str, object]) -> None:
    """Python's own TOML reader finds every value as it was given, tables included."""
    settings = {**plain, "table": table, "tables": [table, {}]}

    assert tomllib.loads(toml.dumps(settings)) == settings


def test_absent_settings_are_left_out() -> None:
    """None means that the service's own default holds."""
    assert tomllib.loads(toml.dumps({"a": None, "b": Path("/x")})) == {"b": "/x"}


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    """A key is 32 random bytes in hex, the same at the next start, and readable by its owner alone."""
    first = Keys(tmp_path).ensure("session_key")

    assert Keys(tmp_path).ensure("session_key") == first
    assert len(bytes.fromhex(first)) == 32
    assert (tmp_path / "session_key").stat().st_mode & 0o777 == 0o600


def test_parts_bring_what_they_need() -> None:
    """Asking for the gateway starts everything below it; asking for the mail catcher starts it alone."""
    assert Options(only=["mail"]).parts() == {"mail"}
    assert Options(only=["audit"]).parts() == {"audit", "postgres", "aws"}
    assert Options(only=["gateway"]).parts() == set(Options().parts())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "mail,printer"], "no part 'printer'"),
        (["--origins", "localhost:4173"], "'localhost:4173' is not a web origin"),
        (["--port-base", "70000"], "PORT_BASE is 70000"),
    ],
)
def test_a_wrong_argument_is_one_clear_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says what is wrong in one line on standard error and returns 1."""
    code = main(["up", "--state-dir", str(tmp_path), *arguments])

    (line,) = capsys.readouterr().err.splitlines()
    assert code == 1
    assert words in line


def mail(subject: str, text: str, html: str | None = None) -> bytes:
    """Write a message as a program would send it."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "from@example.test", "to@example.test"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def test_a_state_directory_that_cannot_be_made_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Where the state cannot be kept, the reason and the way out are in one line.
    """
    (tmp_path / "file").touch()
    code = main(["up", "--state-dir", str(tmp_path / "file")])
    printed = capsys.readouterr()
    assert (code, printed.out) == (1, "")
    assert "Not a directory. Give another directory: --state-dir DIR" in printed.err


def test_mail_is_kept_newest_first_for_each_recipient() -> None:
    """A message to two people is in both inboxes, its parts decoded, the newest first."""
    inbox = Inbox()
    inbox.receive(mail("one", "first ü"), ["a@example.test"])
    inbox.receive(mail("two", "second", "<p>second</p>"), ["A@example.test", "b@example.test"])

    newest, oldest = inbox.messages("a@EXAMPLE.test")
    assert (newest.subject, newest.text.strip(), newest.html.strip()) == ("two", "second", "<p>second</p>")
    assert (oldest.subject, oldest.text.strip(), oldest.html) == ("one", "first ü", "")
    assert [message.to for message in inbox.messages("b@example.test")] == ["b@example.test"]
    assert inbox.messages("c@example.test") == []


def test_the_inbox_forgets_the_oldest() -> None:
    """The inbox holds its last thousand messages and no more."""
    inbox = Inbox()
    for number in range(MESSAGES_MAX + 5):
        inbox.receive(mail(str(number), "x"), ["a@example.test"])

    assert len(inbox.messages()) == MESSAGES_MAX
    assert inbox.messages()[0].subject == str(MESSAGES_MAX + 4)
