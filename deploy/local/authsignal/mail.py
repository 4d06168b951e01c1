"""Mail: wording, delivery through SMTP, and the outbox that tests read."""

import asyncio
import html
import smtplib
from collections import deque
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import msgspec

_FROM = "Sign-in codes <no-reply@authsignal.localhost>"
_SMTP_TIMEOUT_SECONDS = 5.0
_OUTBOX_MAX = 500


class SentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message that the mail server took, with the code in the clear: this is a test bench."""

    to: str
    code: str
    method: str
    subject: str
    sent_at: float
    challenge_id: str
    action_code: str
    idempotency_key: str
    user_id: str | None


class Outbox:
    """The latest messages, newest first."""

    def __init__(self) -> None:
        self._messages: deque[SentMessage] = deque(maxlen=_OUTBOX_MAX)

    def add(self, message: SentMessage) -> None:
        """Keep a message; the oldest falls out when there are too many."""
        self._messages.appendleft(message)

    def messages(self, *, to: str | None = None) -> list[SentMessage]:
        """All kept messages, or those to one address (in any case)."""
        return [message for message in self._messages if to is None or message.to.lower() == to.lower()]

    def clear(self) -> None:
        """Forget every message."""
        self._messages.clear()


def compose_code_mail(*, to: str, code: str, valid_minutes: int, sent_at: float) -> EmailMessage:
    """
    Word the mail that carries a code.

    The code is the only run of six digits in subject, text and page source: people copy it, and tests search for it.
    """
    life = "1 minute" if valid_minutes == 1 else f"{valid_minutes} minutes"
    message = EmailMessage()
    message["From"] = _FROM
    message["To"] = to
    message["Subject"] = f"{code} is your verification code"
    message["Date"] = format_datetime(datetime.fromtimestamp(sent_at, UTC))
    message["Message-ID"] = make_msgid(domain="authsignal.localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        f"Your verification code is\n\n    {code}\n\n"
        f"It works once, for {life}. Type it on the page that asked for it, and nowhere else.\n\n"
        "You did not ask for a code? Then you need not do anything: without it nobody gets in.\n"
    )
    message.add_alternative(_PAGE.format(code=html.escape(code), life=life), subtype="html")
    return message


# Colours are written as rgb(): a hexadecimal one can look like a code.
_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>
<body style="margin:0;padding:32px 16px;font-family:system-ui,sans-serif;line-height:1.5">
<div style="max-width:420px;margin:0 auto">
<p style="margin:0 0 16px">Your verification code is</p>
<p style="margin:0 0 16px;padding:16px;border:1px solid rgb(128,128,128);border-radius:12px;text-align:center;\
font-size:32px;font-weight:600;letter-spacing:6px;font-variant-numeric:tabular-nums">{code}</p>
<p style="margin:0 0 16px">It works once, for {life}. Type it on the page that asked for it, and nowhere else.</p>
<p style="margin:0;opacity:0.75">You did not ask for a code? Then you need not do anything: without it nobody gets \
in.</p>
</div></body></html>
"""


class Mailer:
    """Hands messages to an SMTP server."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def send(self, message: EmailMessage) -> None:
        """
        Deliver one message.

        Raises:
            OSError: The server is not there, is too slow, or refused the message (SMTP errors are OSErrors).
        """
        await asyncio.to_thread(self._send, message)

    def _send(self, message: EmailMessage) -> None:
        with smtplib.SMTP(self._host, self._port, timeout=_SMTP_TIMEOUT_SECONDS) as smtp:
            smtp.send_message(message)
