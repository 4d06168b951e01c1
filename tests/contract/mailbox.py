"""A real SMTP server that keeps what it gets."""

import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.contract.ports import free_port


class Mailbox:
    """Catches mail on a free port of this machine; can be told to refuse it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.refuses = False
        self._messages: list[EmailMessage] = []
        self._lock = threading.Lock()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Take a message, or not."""
        del server, session
        if self.refuses:
            return "554 refused by the test"
        message = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
        with self._lock:
            self._messages.append(message)
        return "250 kept"

    def start(self) -> None:
        """Listen."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()

    def to(self, address: str) -> list[EmailMessage]:
        """Messages to one address, newest first."""
        with self._lock:
            return [message for message in reversed(self._messages) if message["To"] == address]
