"""Starts what follows the log and what delivers alerts, and shares what the API needs of them."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from litestar import Litestar
from prometheus_client import CollectorRegistry, Counter

from services.audit.alerting.bypass import BypassFollower
from services.audit.alerting.delivery import SEND_SECONDS_MAX, Channel, Deliverer, LogChannel, TopicChannel, WebhookChannel
from services.audit.alerting.follower import RuleFollower
from services.audit.alerting.metrics import AlertMetrics
from services.audit.alerting.records import LogRecords
from services.audit.pulse import Pulse
from services.audit.settings import AuditSettings
from services.audit.storage.alerts import AlertReader, AlertStore
from services.audit.storage.database import Pool
from services.audit.storage.quarantine import QuarantineReader
from services.audit.supervision import Part
from services.audit.workers import start_part
from shared.audit_trail import AuditTrail
from shared.http.client import open_http
from shared.settings import read_secrets

CONNECTIONS_MAX: Final = 4


async def start_alerting(
    stack: AsyncExitStack,
    app: Litestar,
    settings: AuditSettings,
    registry: CollectorRegistry,
    *,
    reading: Pool,
    clerk: Pool,
    trail: AuditTrail,
    sealed: Pulse,
) -> None:
    """Begin to follow and to deliver; when the stack unwinds, both end after the step under way."""
    store, alerts, raised = AlertStore(clerk), AlertReader(reading), Pulse()
    app.state.alert_store = store
    app.state.alerts = alerts
    app.state.quarantine = QuarantineReader(reading)
    app.state.detection_parameters = settings.detections
    app.state.raised = raised
    if not settings.detects:
        return
    records, metrics = LogRecords(app.state.reader, alerts), AlertMetrics(registry)
    channels = await _open_channels(stack, settings, trail)
    faults = Counter("audit_detection_faults_total", "Times a part of the detections stopped by a fault", registry=registry)

    def make_rules() -> Part:
        return RuleFollower(store, records, settings.detections, metrics, trail, sealed=sealed, raised=raised)

    def make_bypass() -> Part:
        return BypassFollower(store, records, settings.detections.bypass, metrics, sealed=sealed, raised=raised)

    start_part(
        stack,
        "deliverer",
        lambda: Deliverer(store, channels, metrics, raised=raised),
        asyncio.Event(),
        faults.inc,
        wake=raised.stop,
    )
    start_part(stack, "detections", make_rules, asyncio.Event(), faults.inc, wake=sealed.beat)
    start_part(stack, "bypass", make_bypass, asyncio.Event(), faults.inc, wake=sealed.beat)


async def _open_channels(stack: AsyncExitStack, settings: AuditSettings, trail: AuditTrail) -> list[Channel]:
    channels: list[Channel] = [LogChannel(trail)]
    if settings.alert_webhook_url is not None and settings.alert_webhook_secret_file is not None:
        http = await stack.enter_async_context(open_http(connections_max=CONNECTIONS_MAX))
        channels.append(WebhookChannel(http, settings.alert_webhook_url, read_secrets(settings.alert_webhook_secret_file)))
    if settings.alert_topic_arn is not None:
        config = AioConfig(
            connect_timeout=2, read_timeout=SEND_SECONDS_MAX, retries={"total_max_attempts": 1}, parameter_validation=False
        )
        client = await stack.enter_async_context(
            get_session().create_client(
                "sns", region_name=settings.aws_region, endpoint_url=settings.aws_endpoint_url, config=config
            )
        )
        channels.append(TopicChannel(client, settings.alert_topic_arn))
    return channels
