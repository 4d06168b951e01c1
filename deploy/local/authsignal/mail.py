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
    """One message that was handed over, with its code or link in the clear: this is a test bench."""

    to: str
    code: str  # empty in a message that carries a link
    url: str | None = None
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
    message = _new_mail(to=to, subject=f"{code} is your verification code", sent_at=sent_at)
    life = _life(valid_minutes)
    message.set_content(
        f"Your verification code is\n\n    {code}\n\n"
        f"It works once, for {life}. Type it on the page that asked for it, and nowhere else.\n\n"
        "You did not ask for a code? Then you need not do anything: without it nobody gets in.\n"
    )
    shown = _CODE.format(code=html.escape(code))
    message.add_alternative(
        _page(
            "Your verification code is",
            shown,
            f"It works once, for {life}. Type it on the page that asked for it, and nowhere else.",
            "You did not ask for a code? Then you need not do anything: without it nobody gets in.",
        ),
        subtype="html",
    )
    return message


def compose_link_mail(*, to: str, url: str, valid_minutes: int, sent_at: float) -> EmailMessage:
    """Word the mail that carries a magic link; the link stands on a line of its own."""
    message = _new_mail(to=to, subject="Confirm that it is you", sent_at=sent_at)
    life = _life(valid_minutes)
    message.set_content(
        f"Open this link to confirm that it is you:\n\n{url}\n\n"
        f"It works once, for {life}. The page where you started then goes on by itself.\n\n"
        "You did not start anything? Then leave the link alone: without it nobody gets in.\n"
    )
    message.add_alternative(
        _page(
            "Open this link to confirm that it is you:",
            _LINK.format(url=html.escape(url)),
            f"It works once, for {life}. The page where you started then goes on by itself.",
            "You did not start anything? Then leave the link alone: without it nobody gets in.",
        ),
        subtype="html",
    )
    return message


def compose_phone_mail(*, number: str, service: str, code: str, valid_minutes: int, sent_at: float) -> EmailMessage:
    """
    Word a text message, as mail: no message leaves this machine, and people want to read it somewhere.

    Args:
        number: In E.164 form; the mail goes to `<number>@sms.example.test`.
        service: What would have carried it: `SMS` or `WhatsApp`.
        code: The code; digits of the number are grouped, so that it stays the only run of six.
        valid_minutes: How long it works.
        sent_at: Unix seconds.
    """
    shown = " ".join(number[start : start + 3] for start in range(0, len(number), 3))
    message = _new_mail(
        to=f"{number}@sms.example.test", subject=f"{service}: {code} is your verification code", sent_at=sent_at
    )
    rule = f"It works once, for {_life(valid_minutes)}. Do not pass it on."
    message.set_content(f"{service} to {shown}\n\n{code} is your verification code. {rule}\n")
    message.add_alternative(_page(f"{service} to {shown}", _CODE.format(code=html.escape(code)), rule), subtype="html")
    return message


def _new_mail(*, to: str, subject: str, sent_at: float) -> EmailMessage:
    message = EmailMessage()
    message["From"] = _FROM
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.fromtimestamp(sent_at, UTC))
    message["Message-ID"] = make_msgid(domain="authsignal.localhost")
    message["Auto-Submitted"] = "auto-generated"
    return message


def _life(minutes: int) -> str:
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _page(opening: str, shown: str, rule: str, closing: str = "") -> str:
    parts = [
        f'<p style="margin:0 0 16px">{html.escape(opening)}</p>',
        shown,
        f'<p style="margin:0 0 16px">{html.escape(rule)}</p>',
        f'<p style="margin:0;opacity:0.75">{html.escape(closing)}</p>' if closing else "",
    ]
    return _PAGE.format(body="\n".join(part for part in parts if part))


# Colours are written as rgb(): a hexadecimal one can look like a code.
_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>
<body style="margin:0;padding:32px 16px;font-family:system-ui,sans-serif;line-height:1.5">
<div style="max-width:420px;margin:0 auto">
{body}
</div></body></html>
"""

_CODE = """\
<p style="margin:0 0 16px;padding:16px;border:1px solid rgb(128,128,128);border-radius:12px;text-align:center;\
font-size:32px;font-weight:600;letter-spacing:6px;font-variant-numeric:tabular-nums">{code}</p>"""

_LINK = """\
<p style="margin:0 0 16px"><a href="{url}" target="_blank" rel="noopener" style="display:inline-block;\
padding:12px 20px;border:1px solid rgb(128,128,128);border-radius:12px;font-weight:600">Confirm</a></p>
<p style="margin:0 0 16px;overflow-wrap:anywhere;font-size:13px;opacity:0.75">{url}</p>"""


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
