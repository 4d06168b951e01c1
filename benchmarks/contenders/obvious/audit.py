"""One message per event, acknowledged before the caller goes on."""

import os
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from shared.events import SCHEMA_VERSION, Draft, Event, Producer, encode, leaf_hash
from shared.ids import uuid7


class OneByOne:
    """
    Records events, each with a SendMessage of its own.

    Args:
        sqs: An aiobotocore client, as `create_client` gives it.
        queue_url: The audit queue.
        service: The producer's name.
    """

    def __init__(self, sqs: Any, queue_url: str, service: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._service = service
        self._instance = str(uuid4())
        self._seq = 0

    async def record(self, draft: Draft) -> str:
        """Put one event on the queue; return its receipt."""
        event_id = str(uuid7())
        fields = {name: getattr(draft, name) for name in draft.__struct_fields__}
        event = Event(
            event_id=event_id,
            schema_version=SCHEMA_VERSION,
            occurred_at=datetime.now(UTC),
            producer=Producer(service=self._service, instance=self._instance, seq=self._seq),
            salt=os.urandom(16).hex(),
            **fields,
        )
        self._seq += 1
        entry = encode(event)
        await self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=entry.decode())
        return f"{event_id}:{leaf_hash(entry).hex()}"
