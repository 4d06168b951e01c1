"""Mail to the owner of an account, about what was done to it. It is sent after the fact, and never stops what it tells of."""

import asyncio
from typing import Final

import structlog

from services.gateway.mail import Mailer, MailRefused
from services.gateway.sessions.model import Session

log = structlog.get_logger(__name__)

WORDS: Final = {
    "EMAIL_OTP": "sign-in by e-mail code",
    "EMAIL_MAGIC_LINK": "sign-in by e-mail link",
    "SMS": "text message codes",
    "WHATSAPP": "WhatsApp codes",
    "AUTHENTICATOR_APP": "an authenticator app",
    "PASSKEY": "a passkey",
    "SECURITY_KEY": "a security key",
    "PUSH": "push approval on a phone",
    "QR_CODE": "QR code approval on a phone",
}


class Notices:
    """
    Sends notices.

    Args:
        mailer: Takes them; where it does not, nothing is sent, and the log says so.
        account_url: Where owners look at their accounts.
    """

    def __init__(self, mailer: Mailer, *, account_url: str) -> None:
        self._mailer = mailer
        self._account_url = account_url
        self._tasks: set[asyncio.Task[None]] = set()

    async def authenticator_added(self, session: Session, method: str) -> None:
        """Tell the owner that something new signs in to the account."""
        words = WORDS.get(method, method)
        text = f"{words[:1].upper()}{words[1:]} was added to your account."
        self._send(session.email, f"Added to your account: {words}", self._with_advice(text))

    async def authenticator_removed(self, session: Session, method: str) -> None:
        """Tell the owner that something no longer signs in to the account."""
        words = WORDS.get(method, method)
        text = f"{words[:1].upper()}{words[1:]} was removed from your account."
        self._send(session.email, f"Removed from your account: {words}", self._with_advice(text))

    async def account_deleted(self, session: Session) -> None:
        """Tell the owner that the account is gone."""
        subject = "Your account was deleted"
        text = "Your account was deleted, and you are signed out everywhere.\n\n"
        self._send(session.email, subject, text + "If this was not you, tell the people who run this site at once.\n")

    async def close(self) -> None:
        """Wait for what is being sent."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _with_advice(self, text: str) -> str:
        return (
            f"{text}\n\nIf this was you, there is nothing to do.\n"
            f"If it was not, sign in and look at your account now: {self._account_url}\n"
        )

    def _send(self, address: str, subject: str, text: str) -> None:
        task = asyncio.create_task(self._deliver(address, subject, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, address: str, subject: str, text: str) -> None:
        try:
            await self._mailer.send(address, subject, text)
        except MailRefused as refusal:
            log.warning("notice.not_sent", reason=str(refusal))
