"""Handing mail to a mail server."""

from email.message import EmailMessage
from typing import Final
from urllib.parse import urlsplit

import aiosmtplib

SEND_SECONDS_MAX: Final = 10


class MailRefused(Exception):
    """The mail server did not take the message, or did not answer, or there is none; the text names the kind of fault."""


class Mailer:
    """
    Sends plain text.

    Args:
        smtp_url: ``smtp://host:port`` or ``smtps://user:password@host:port``, or None for no mail server.
        sender: The address that mail comes from.
        brand: The name beside it.
    """

    def __init__(self, *, smtp_url: str | None, sender: str, brand: str) -> None:
        self._smtp = urlsplit(smtp_url) if smtp_url is not None else None
        self._sender = sender
        self._brand = brand

    async def send(self, address: str, subject: str, text: str) -> None:
        """
        Return when the mail server has taken a message.

        Raises:
            MailRefused: It did not.
        """
        if self._smtp is None:
            raise MailRefused("no smtp_url")
        try:
            message = EmailMessage()
            message["From"] = f"{self._brand} <{self._sender}>"
            message["To"] = address
            message["Subject"] = subject
            message.set_content(text)
            await aiosmtplib.send(
                message,
                hostname=self._smtp.hostname,
                port=self._smtp.port,
                username=self._smtp.username,
                password=self._smtp.password,
                use_tls=self._smtp.scheme == "smtps",
                timeout=SEND_SECONDS_MAX,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # ValueError: no address, or one with a line break.
            raise MailRefused(type(error).__name__) from error
