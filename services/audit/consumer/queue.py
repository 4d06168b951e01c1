"""The queue as the consumer uses it: receive, delete, renew, release; at most ten messages a call, as SQS has it."""

import itertools
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from services.audit.consumer.holds import Held
from services.audit.reading import read_message

MESSAGES_MAX: Final = 10


class AuditQueue:
    """
    One queue, through one SQS client.

    Args:
        client: An aiobotocore SQS client whose read timeout is longer than `wait_seconds`.
        url: The queue.
        visibility_seconds: How long a received message stays invisible to others unless renewed.
        wait_seconds: Length of a long poll.

    Every method raises whatever botocore raises when the call as a whole fails.
    """

    def __init__(self, client: Any, url: str, *, visibility_seconds: int, wait_seconds: int) -> None:
        self._client = client
        self._url = url
        self.visibility_seconds = visibility_seconds
        self._wait_seconds = wait_seconds

    async def receive(self) -> list[Held]:
        """Wait for messages and return up to ten, already read; an empty list when none came."""
        asked_at = time.monotonic()
        answer = await self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=MESSAGES_MAX,
            WaitTimeSeconds=self._wait_seconds,
            VisibilityTimeout=self.visibility_seconds,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        now = time.monotonic()
        # Invisibility began when the queue handed the messages out, which is later than the request and earlier than now.
        # Count from the earliest that it can have been, so that a renewal is never late; a long poll is cut to its end.
        visible_at = max(asked_at, now - 1) + self.visibility_seconds
        return [self._held(message, now, visible_at) for message in answer.get("Messages", ())]

    async def delete(self, messages: Sequence[Held]) -> list[tuple[Held, bool]]:
        """Delete up to ten messages; return those that were refused, and whether the fault is ours."""
        answer = await self._client.delete_message_batch(
            QueueUrl=self._url,
            Entries=[{"Id": str(place), "ReceiptHandle": held.receipt_handle} for place, held in enumerate(messages)],
        )
        return _refused(messages, answer)

    async def change_visibility(self, messages: Sequence[Held], seconds: int) -> list[tuple[Held, bool]]:
        """Hide up to ten messages for this long from now (0 shows them at once); return the refused, as `delete`."""
        called_at = time.monotonic()
        answer = await self._client.change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": held.receipt_handle, "VisibilityTimeout": seconds}
                for place, held in enumerate(messages)
            ],
        )
        refused = _refused(messages, answer)
        kept_out = {held.receipt_handle for held, _ in refused}
        for held in messages:
            if held.receipt_handle not in kept_out:
                held.visible_at = called_at + seconds
        return refused

    async def depth(self) -> int:
        """Return about how many messages wait; also the way to see whether the queue answers."""
        answer = await self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def _held(self, message: dict[str, Any], now: float, visible_at: float) -> Held:
        sent = message.get("Attributes", {}).get("SentTimestamp")
        return Held(
            message_id=message["MessageId"],
            receipt_handle=message["ReceiptHandle"],
            reading=read_message(message["MessageId"], message["Body"]),
            received_at=now,
            visible_at=visible_at,
            sent_at=int(sent) / 1000 if sent else None,
        )


def in_tens(messages: Iterable[Held]) -> Iterable[list[Held]]:
    """Split messages into the groups that one call takes."""
    iterator = iter(messages)
    while group := list(itertools.islice(iterator, MESSAGES_MAX)):
        yield group


def _refused(messages: Sequence[Held], answer: dict[str, Any]) -> list[tuple[Held, bool]]:
    return [(messages[int(entry["Id"])], bool(entry.get("SenderFault"))) for entry in answer.get("Failed", ())]
