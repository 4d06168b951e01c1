"""The mail catcher, over real SMTP and HTTP."""

import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import pytest

from tests.stack import RunningStack, running_stack


@pytest.fixture(scope="module")
def catcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A mail catcher alone."""
    with running_stack(tmp_path_factory.mktemp("mail") / "state", "--only", "mail") as running:
        yield running


def send(catcher: RunningStack, to: list[str], subject: str) -> None:
    """Send one message with both parts."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@example.test", ", ".join(to), subject
    message.set_content("Your code is 123456.\n")
    message.add_alternative("<p>Your code is <b>123456</b>.</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", catcher["mail"]["smtp_port"], timeout=10) as smtp:
        smtp.send_message(message)


def get(catcher: RunningStack, path: str) -> tuple[Any, str]:
    """Return headers and body of one page."""
    with urllib.request.urlopen(catcher["mail"]["inbox_url"] + path, timeout=10) as response:
        return response.headers, response.read().decode()


def test_a_message_is_found_by_its_recipient(catcher: RunningStack) -> None:
    """What came over SMTP is listed for its address, newest first, with exactly the agreed keys."""
    send(catcher, ["ada+1@example.test"], "first")
    send(catcher, ["ada+1@example.test", "bob@example.test"], "zweite für Ada")

    _, body = get(catcher, f"/api/messages?to={quote('ADA+1@example.test')}")

    messages = json.loads(body)
    assert [message["subject"] for message in messages] == ["zweite für Ada", "first"]
    assert {key for message in messages for key in message} == {"id", "to", "subject", "text", "html", "received_at"}
    assert messages[0]["to"] == "ada+1@example.test"
    assert "123456" in messages[0]["text"]
    assert messages[0]["received_at"].endswith("Z")


def test_nobody_elses_mail_is_listed(catcher: RunningStack) -> None:
    """An address that got nothing has an empty inbox."""
    _, body = get(catcher, "/api/messages?to=nobody@example.test")

    assert json.loads(body) == []


@pytest.mark.parametrize("path", ["/", "/inbox.css", "/inbox.js"])
def test_the_page_may_run_nothing_but_its_own_script(catcher: RunningStack, path: str) -> None:
    """Mail may come from anybody, so the page's policy lets no foreign script, form or request through."""
    headers, body = get(catcher, path)

    assert body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_page_is_not_found(catcher: RunningStack) -> None:
    """Only the listed files are served."""
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(catcher, "/../store.py")
