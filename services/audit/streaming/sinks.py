"""Where streams go. A delivery that is not surely taken is given again: receivers drop what they have by `leaf_index`."""

import gzip
import time
from collections.abc import Sequence
from typing import Any, Protocol

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from services.audit.streaming.batches import Batch, signature
from services.audit.streaming.settings import S3Stream, WebhookStream


class DeliveryFailed(Exception):
    """The receiver did not take it, or did not say so in time."""


class Sink(Protocol):
    """A receiver."""

    async def deliver(self, batch: Batch) -> None:
        """
        Hand over a batch; when this returns, the receiver has it.

        Raises:
            DeliveryFailed: It may or may not have it: deliver again.
        """


class WebhookSink:
    """
    Posts batches to an HTTPS endpoint.

    Args:
        http: The process's pool.
        stream: The endpoint.
        keys: The live keys; each signs, so that the receiver may hold either of them.
    """

    def __init__(self, http: aiohttp.ClientSession, stream: WebhookStream, keys: Sequence[str]) -> None:
        self._http = http
        self._stream = stream
        self._keys = keys
        self._timeout = aiohttp.ClientTimeout(total=stream.seconds_max)

    async def deliver(self, batch: Batch) -> None:
        """See `Sink`. Any answer of 2xx is a yes; a redirect is a no, since nobody signed where it leads."""
        timestamp = int(time.time())
        headers = {
            "Content-Type": "application/x-ndjson",
            "Countersign-Stream": self._stream.name,
            "Countersign-First-Leaf": str(batch.first_leaf),
            "Countersign-Last-Leaf": str(batch.last_leaf),
            "Countersign-Timestamp": str(timestamp),
            "Countersign-Signature": signature(self._keys, timestamp, batch.body),
        }
        try:
            async with self._http.post(
                self._stream.url, data=batch.body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryFailed(f"no answer: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise DeliveryFailed(f"answered with status {status}")


class S3Sink:
    """Puts each batch as an object, gzip, named by its leaves."""

    def __init__(self, client: Any, stream: S3Stream) -> None:
        self._client = client
        self._stream = stream

    async def deliver(self, batch: Batch) -> None:
        """See `Sink`."""
        key = f"{self._stream.prefix}{batch.first_leaf:015}-{batch.last_leaf:015}.ndjson.gz"
        body = gzip.compress(batch.body, mtime=0)
        try:
            await self._client.put_object(
                Bucket=self._stream.bucket, Key=key, Body=body, ContentType="application/x-ndjson", ContentEncoding="gzip"
            )
        except ClientError as error:
            raise DeliveryFailed(f"S3 refused: {error.response.get('Error', {}).get('Code', 'unknown')}") from error
        except (BotoCoreError, OSError) as error:
            raise DeliveryFailed(f"S3 does not answer: {type(error).__name__}") from error
