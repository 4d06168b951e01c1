"""
Codes and links that Authsignal makes and we deliver: by our own mail server, and by Amazon SNS.

Authsignal waits for the answer, and fails the challenge unless the message was handed over. Nothing is repeated: a person who
got nothing asks for another. What a message says is in no log.

Every text that Authsignal sends comes by here, also the one that proves a new number and those that a browser asked for, so
this is where the operator's limits for texts see all of them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from services.gateway.mail import Mailer, MailRefused
from services.gateway.webhooks.envelopes import EMAIL_CREATED, SMS_CREATED, Envelope
from shared.settings import AwsSettings
from shared.texts import TextLimits

SEND_SECONDS_MAX: Final = 5
TEXT_CHARACTERS_MAX: Final = 2_000


class NotDelivered(Exception):
    """Nobody took the message; the text names the kind of fault."""


class NotAllowed(NotDelivered):
    """The limits for texts forbid it; the text names the limit, `country` is where it would have gone."""

    def __init__(self, reason: str, country: str) -> None:
        super().__init__(reason)
        self.country = country


class Messages:
    """
    Delivers messages.

    Args:
        mailer: Takes mail.
        sns: Takes text messages: an SNS client.
        texts: Says where text messages may go, and how many.
        brand: The name that messages speak for.
    """

    def __init__(self, *, mailer: Mailer, sns: Any, texts: TextLimits, brand: str) -> None:
        self._mailer = mailer
        self._sns = sns
        self._texts = texts
        self._brand = brand

    async def deliver(self, envelope: Envelope) -> None:
        """
        Return when somebody has taken the message of an envelope.

        Raises:
            NotAllowed: It is a text that may not go to this number, or not now.
            NotDelivered: Nobody did, or the envelope lacks an address, or code and link.
        """
        to, code, link = (_text(envelope, name) for name in ("to", "code", "url"))
        if to is None or (code is None and link is None):
            raise NotDelivered("incomplete")
        if envelope.type == EMAIL_CREATED:
            await self._mail(to, code, link)
        elif envelope.type == SMS_CREATED and code is not None:
            await self._text_message(to, code)
        else:
            raise NotDelivered("unknown channel")

    async def _mail(self, to: str, code: str | None, link: str | None) -> None:
        subject = f"{code} is your {self._brand} code" if code is not None else f"Confirm for {self._brand}"
        wish = f"Your code is {code}." if code is not None else f"Open this link to go on:\n\n{link}"
        text = f"{wish}\n\nIt works for a few minutes, once. If you did not ask for it, there is nothing to do.\n"
        try:
            await self._mailer.send(to, subject, text)
        except MailRefused as error:
            raise NotDelivered(str(error)) from error

    async def _text_message(self, number: str, code: str) -> None:
        refusal = await self._texts.refusal(number)
        if refusal is not None:
            raise NotAllowed(refusal.reason, refusal.country)
        kind = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
        text = f"{code} is your {self._brand} code. Give it to nobody."
        try:
            await self._sns.publish(PhoneNumber=number, Message=text, MessageAttributes=kind)
        except (BotoCoreError, ClientError, aiohttp.ClientError, OSError) as error:
            raise NotDelivered(type(error).__name__) from error


@asynccontextmanager
async def open_sns(settings: AwsSettings) -> AsyncIterator[Any]:
    """Open a client of Amazon SNS. It makes one attempt: a text message that is sent twice costs twice."""
    config = AioConfig(
        connect_timeout=2, read_timeout=SEND_SECONDS_MAX, retries={"total_max_attempts": 1}, parameter_validation=False
    )
    async with get_session().create_client(
        "sns", region_name=settings.aws_region, endpoint_url=settings.aws_endpoint_url, config=config
    ) as client:
        yield client


def _text(envelope: Envelope, name: str) -> str | None:
    # As it came: a link must not be cut to a length that is fit for the log.
    value = envelope.data.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= TEXT_CHARACTERS_MAX else None
