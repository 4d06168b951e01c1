"""One way to put a message on a queue: an awaited call that returns once SQS has acknowledged it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from shared.aws_json import open_aws_json
from shared.settings import AwsSettings

Send = Callable[[str], Awaitable[None]]

SEND_SECONDS_MAX = 5.0


@asynccontextmanager
async def sqs_client(settings: AwsSettings, *, connections_max: int = 64, read_seconds_max: float = 30) -> AsyncIterator[Any]:
    """Open an SQS client. Retries are the caller's: only it knows what is safe to repeat, so the SDK makes one attempt."""
    config = AioConfig(
        max_pool_connections=connections_max,
        connect_timeout=2,
        read_timeout=read_seconds_max,
        retries={"total_max_attempts": 1},
        parameter_validation=False,
    )
    session = get_session()
    async with session.create_client(
        "sqs", region_name=settings.aws_region, endpoint_url=settings.aws_endpoint_url, config=config
    ) as client:
        yield client


@asynccontextmanager
async def queue_sender(settings: AwsSettings, queue_url: str) -> AsyncIterator[Send]:
    """
    Open a sender to one queue.

    The sender raises `AwsRefused` or `AwsUnreachable` when the queue refuses or does not answer within `SEND_SECONDS_MAX`; a
    time-out is ambiguous, the message may have arrived.
    """
    async with open_aws_json(
        settings,
        "sqs",
        endpoint_url=settings.aws_endpoint_url,
        prefix="AmazonSQS",
        version="1.0",
        seconds_max=SEND_SECONDS_MAX,
    ) as sqs:

        async def send(body: str) -> None:
            await sqs.call("SendMessage", {"QueueUrl": queue_url, "MessageBody": body})

        yield send
