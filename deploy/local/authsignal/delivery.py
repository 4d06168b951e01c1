"""Handing messages over: by SMTP, or to the integrator's own provider where a webhook is set for that."""

import smtplib
from email.message import EmailMessage

from deploy.local.authsignal.errors import DeliveryFailed
from deploy.local.authsignal.mail import SentMessage
from deploy.local.authsignal.model import Challenge
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.webhooks import events


async def deliver_mail(tenant: Tenant, challenge: Challenge, mail: EmailMessage, *, url: str | None = None) -> None:
    """
    Hand over a mail that answers a challenge.

    Args:
        tenant: The tenant.
        challenge: Stored, with its secret.
        mail: The message as the simulator would send it by itself.
        url: The link in it, if it carries one instead of a code.

    Raises:
        DeliveryFailed: Nobody took it; nothing is in the outbox.
    """
    await _deliver(tenant, challenge, mail, url=url, provider=tenant.webhooks.urls.email, event_type="email.created")


async def deliver_text(tenant: Tenant, challenge: Challenge, mail: EmailMessage) -> None:
    """
    Hand over a text message.

    Raises:
        DeliveryFailed: Nobody took it; nothing is in the outbox.
    """
    await _deliver(tenant, challenge, mail, url=None, provider=tenant.webhooks.urls.sms, event_type="sms.created")


async def _deliver(
    tenant: Tenant, challenge: Challenge, mail: EmailMessage, *, url: str | None, provider: str | None, event_type: str
) -> None:
    if provider is not None:
        if not await tenant.webhooks.ask(provider, event_type, events.message_created(challenge, url=url)):
            raise DeliveryFailed("The provider's webhook did not take the message.")
    else:
        try:
            await tenant.mailer.send(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryFailed("The mail server did not take the message.") from error
    tenant.outbox.add(
        SentMessage(
            to=challenge.address,
            code="" if url else challenge.code,
            url=url,
            method=challenge.verification_method,
            subject=str(mail["Subject"]),
            sent_at=tenant.clock.now(),
            challenge_id=challenge.challenge_id,
            action_code=challenge.action_code,
            idempotency_key=challenge.idempotency_key,
            user_id=challenge.user_id,
        )
    )


def valid_minutes(tenant: Tenant, challenge: Challenge) -> int:
    """How long the challenge can still be answered, as people are told."""
    return max(1, round((challenge.expires_at - tenant.clock.now()) / 60))
