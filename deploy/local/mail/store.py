"""The messages of this run, newest first; a restart begins with an empty inbox."""

from collections import deque
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count

import msgspec

MESSAGES_MAX = 1000


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One caught message. ``to`` is one address; a message to two people is caught twice."""

    id: str
    to: str
    subject: str
    text: str
    html: str
    received_at: str


class Inbox:
    """Keeps the last ``MESSAGES_MAX`` messages."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=MESSAGES_MAX)
        self._numbers = count(1)

    def receive(self, content: bytes, recipients: list[str]) -> None:
        """Keep a message as it came over SMTP, once for each recipient."""
        parsed = message_from_bytes(content, policy=policy.default)
        text, html = _body(parsed, "plain"), _body(parsed, "html")
        for recipient in recipients:
            self._messages.appendleft(
                Message(
                    id=str(next(self._numbers)),
                    to=recipient,
                    subject=str(parsed["subject"] or ""),
                    text=text,
                    html=html,
                    received_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                )
            )

    def messages(self, to: str | None = None) -> list[Message]:
        """Return the messages, newest first; only those to one address when it is given, in any case."""
        if to is None:
            return list(self._messages)
        wanted = to.strip().lower()
        return [message for message in self._messages if message.to.lower() == wanted]

    def clear(self) -> None:
        """Forget every message."""
        self._messages.clear()


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    content = part.get_content()
    return content if isinstance(content, str) else ""
