"""Where alerts go: a webhook that keeps what it gets, a topic with a queue behind it; and events that raise them."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiobotocore.session import get_session
from aiohttp import web

from deploy.local.parts import aws
from shared.events import Client, EventType, Outcome, Subject
from tests.contract.ports import free_port
from tests.integration.audit.lab import HOST, Author, QueuePair


@dataclass
class Receiver:
    """A webhook: `failures` of the first deliveries get `status`."""

    url: str = ""
    failures: int = 0
    status: int = 503
    taken: list[tuple[str, bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take one delivery, or refuse it."""
        body = await request.read()
        if self.failures:
            self.failures -= 1
            return web.Response(status=self.status)
        self.taken.append((request.headers["Countersign-Signature"], body))
        return web.Response(status=204)

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that were taken."""
        return [json.loads(body) for _, body in self.taken]


@contextlib.asynccontextmanager
async def receiver(*, failures: int = 0, status: int = 503) -> AsyncIterator[Receiver]:
    """Run a webhook until the block ends."""
    made = Receiver(failures=failures, status=status)
    app = web.Application()
    app.router.add_post("/alerts", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, HOST, port).start()
    made.url = f"http://{HOST}:{port}/alerts"
    try:
        yield made
    finally:
        await runner.cleanup()


@dataclass
class Topic:
    """An SNS topic, and the queue that it feeds."""

    arn: str
    queue: QueuePair

    async def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that were published since."""
        answer = await self.queue.client.receive_message(QueueUrl=self.queue.dlq_url, MaxNumberOfMessages=10)
        return [json.loads(json.loads(message["Body"])["Message"]) for message in answer.get("Messages", ())]


@contextlib.asynccontextmanager
async def topic(queue: QueuePair) -> AsyncIterator[Topic]:
    """Make a topic that feeds the dead-letter queue, which nothing else uses here."""
    attributes = await queue.client.get_queue_attributes(QueueUrl=queue.dlq_url, AttributeNames=["QueueArn"])
    async with get_session().create_client("sns", region_name=aws.REGION, endpoint_url=queue.aws.endpoint_url) as client:
        arn = (await client.create_topic(Name=f"alerts-{free_port()}"))["TopicArn"]
        queue_arn = attributes["Attributes"]["QueueArn"]
        admitted = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        statement = {**admitted, "Resource": queue_arn, "Condition": {"ArnEquals": {"aws:SourceArn": arn}}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        await queue.client.set_queue_attributes(QueueUrl=queue.dlq_url, Attributes={"Policy": policy})
        await client.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
        yield Topic(arn, queue)


def stuffing(author: Author, *, network: str, since: datetime, people: int = 12) -> list[bytes]:
    """Return the failures of many people from one network."""
    return [
        author.entry(
            event_type=EventType.SIGN_IN_FAILED,
            outcome=Outcome.FAILURE,
            occurred_at=since + timedelta(seconds=number),
            subject=Subject(sub=f"sub-{number}", email_hash=f"{number:064x}"),
            client=Client(ip=f"{network}.{number + 1}"),
        )
        for number in range(people)
    ]
