"""
Alerts to wherever somebody is told: the log itself, a webhook, an SNS topic.

Each alert reaches each channel at least once: that it did is noted after the channel took it, so a crash in between repeats
it, with the same id. A channel that fails is tried again with growing pauses and holds up no other one. An alert that a channel
will never take is noted as done with, counted, and named in this service's own log with the reason: it holds up no other alert.
"""

import asyncio
import hmac
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

import aiohttp
import msgspec
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from services.audit.alerting.metrics import AlertMetrics
from services.audit.alerting.views import AlertView
from services.audit.pulse import Pulse
from services.audit.storage.alerts import AlertStore, next_undelivered, note_delivered
from services.audit.storage.database import DatabaseUnavailable
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.events import Draft, EventType, Outcome, Subject

log = structlog.get_logger(__name__)

SIGNATURE_HEADER: Final = "Countersign-Signature"
POLL_SECONDS: Final = 5.0
PAUSE_SECONDS_MIN: Final = 1.0
PAUSE_SECONDS_MAX: Final = 300.0
SEND_SECONDS_MAX: Final = 10.0
# These say that the channel is set up wrongly or busy, and nothing about the alert: it is tried again. Other 4xx refuse it.
CHANNEL_STATUSES: Final = frozenset({401, 403, 404, 407, 408, 429})
TOPIC_REFUSALS: Final = frozenset({"InvalidParameter", "InvalidParameterValue"})
# Who mends a channel after a week wants to hear of today.
AGE_MAX: Final = timedelta(days=7)


class DeliveryFailed(Exception):
    """The channel did not take the alert: try again later."""


class AlertRefused(Exception):
    """The channel will never take this alert; the text says why."""


class Channel(Protocol):
    """Somewhere to deliver to. `with_replayed`: also what was found by going over the past."""

    name: str
    with_replayed: bool

    async def send(self, alert: AlertView) -> None:
        """
        Deliver one alert.

        Raises:
            DeliveryFailed: Try again later.
            AlertRefused: It will not take this one, however often it is tried.
        """


class LogChannel:
    """The log: every alert is an event in it."""

    name = "log"
    with_replayed = True

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    async def send(self, alert: AlertView) -> None:
        """See `Channel`."""
        draft = Draft(
            event_type=EventType.AUDIT_ALERT_RAISED,
            outcome=Outcome.SUCCESS,
            subject=Subject(sub=alert.subject) if alert.subject else None,
            data={
                "alert_id": alert.id,
                "rule": alert.rule,
                "rule_version": alert.rule_version,
                "severity": alert.severity,
                "first_leaf": alert.first_leaf,
                "last_leaf": alert.last_leaf,
                "event_count": alert.event_count,
                "is_replayed": alert.is_replayed,
            },
        )
        try:
            await self._trail.record(draft)
        except AuditUnavailable as error:
            raise DeliveryFailed(str(error)) from error


class WebhookChannel:
    """
    An HTTPS address that gets each alert as JSON, signed.

    Args:
        http: The pool.
        url: Where to POST to.
        secrets: One or two; the request bears a signature for each.
    """

    name = "webhook"
    with_replayed = False

    def __init__(self, http: aiohttp.ClientSession, url: str, secrets: Sequence[str]) -> None:
        self._http = http
        self._url = url
        self._secrets = secrets

    async def send(self, alert: AlertView) -> None:
        """See `Channel`."""
        body = msgspec.json.encode(alert)
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: sign(body, self._secrets, int(time.time()))}
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS_MAX)
        try:
            async with self._http.post(self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryFailed(type(error).__name__) from error
        if 400 <= status < 500 and status not in CHANNEL_STATUSES:
            raise AlertRefused(f"status {status}")
        if not 200 <= status < 300:
            raise DeliveryFailed(f"status {status}")


class TopicChannel:
    """
    An SNS topic.

    Args:
        client: An aiobotocore SNS client.
        arn: The topic.
    """

    name = "sns"
    with_replayed = False

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    async def send(self, alert: AlertView) -> None:
        """See `Channel`."""
        attributes = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in (("rule", alert.rule), ("severity", alert.severity))
        }
        try:
            await self._client.publish(
                TopicArn=self._arn,
                Subject=f"{alert.severity}: {alert.title}"[:100],
                Message=msgspec.json.encode(alert).decode(),
                MessageAttributes=attributes,
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise (AlertRefused if code in TOPIC_REFUSALS else DeliveryFailed)(f"ClientError {code}") from error
        except (BotoCoreError, aiohttp.ClientError, OSError) as error:
            raise DeliveryFailed(type(error).__name__) from error


class Deliverer:
    """
    Delivers alerts until it is told to stop.

    Args:
        store: Knows what reached whom.
        channels: Where to.
        metrics: What is counted.
        raised: Beats when there are new alerts.
        pause_seconds_min: How long a channel that failed is left alone at first.
    """

    def __init__(
        self,
        store: AlertStore,
        channels: Sequence[Channel],
        metrics: AlertMetrics,
        *,
        raised: Pulse,
        pause_seconds_min: float = PAUSE_SECONDS_MIN,
    ) -> None:
        self._store = store
        self._channels = channels
        self._metrics = metrics
        self._raised = raised
        self._pause_seconds_min = pause_seconds_min
        # By channel: when it may be tried again, and how long it is left alone the next time.
        self._waits: dict[str, tuple[float, float]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            has_sent = False
            for channel in self._channels:
                has_sent |= await self._serve(channel, stop)
            if not has_sent and not stop.is_set():
                await self._raised.wait(self._seconds_to_wait())

    async def _serve(self, channel: Channel, stop: asyncio.Event) -> bool:
        """Deliver to one channel what waits for it; say whether anything was."""
        not_before, pause = self._waits.get(channel.name, (0.0, self._pause_seconds_min))
        has_sent = False
        while time.monotonic() >= not_before and not stop.is_set():
            try:
                if not await self._deliver_next(channel):
                    break
            except (DeliveryFailed, DatabaseUnavailable) as error:
                self._metrics.undelivered.labels(channel.name).inc()
                log.warning("audit.alert_not_delivered", channel=channel.name, error=str(error), again_in_seconds=pause)
                self._waits[channel.name] = time.monotonic() + pause, min(pause * 2, PAUSE_SECONDS_MAX)
                break
            has_sent = True
            self._waits.pop(channel.name, None)
        return has_sent

    async def _deliver_next(self, channel: Channel) -> bool:
        # One alert a transaction: nothing is written before the channel has answered, so nothing waits for it.
        async with self._store.delivering() as connection:
            if connection is None:
                return False
            alert = await next_undelivered(connection, channel.name, with_replayed=channel.with_replayed, age_max=AGE_MAX)
            if alert is None:
                return False
            try:
                await channel.send(AlertView.of(alert))
            except AlertRefused as error:
                self._metrics.refused.labels(channel.name).inc()
                log.error("audit.alert_refused", channel=channel.name, alert_id=alert.id, error=str(error))
            await note_delivered(connection, alert.id, channel.name)
        return True

    def _seconds_to_wait(self) -> float:
        due = [not_before - time.monotonic() for not_before, _ in self._waits.values()]
        return max(0.05, min([POLL_SECONDS, *due]))


def sign(body: bytes, secrets: Sequence[str], at: int) -> str:
    """
    Return the signature header of a delivery: ``t=<unix seconds>,v1=<hex>``, with one ``v1`` for each secret.

    ``v1`` is HMAC-SHA256 over the seconds, a dot and the body. Whoever receives it compares in constant time with any of them,
    and refuses what is older than some minutes.
    """
    signed = f"{at}.".encode() + body
    marks = [f"v1={hmac.digest(secret.encode(), signed, 'sha256').hex()}" for secret in secrets]
    return ",".join([f"t={at}", *marks])
