"""``countersign audit dlq``: look into the dead-letter queue, and put its messages back."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from rich.text import Text

from services.audit.commands.context import find_stack, lend_credentials
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.render import console, plain_table, print_json, printable
from services.audit.commands.times import ago, local
from services.audit.reading import read_message
from shared.settings import AwsSettings
from shared.sqs import sqs_client

BATCH: Final = 10
WAIT_SECONDS: Final = 1
# Long enough to send and delete ten messages, short enough that a killed redrive does not hide them for long.
VISIBILITY_SECONDS: Final = 60
LOOK_SECONDS: Final = 20
# SQS answers within two seconds or not at all, and somebody is waiting.
ANSWER_SECONDS_MAX: Final = 5

Progress = Callable[[int, int], None]


class Queues(NamedTuple):
    """The two queues, and how to reach them."""

    queue_url: str | None
    dlq_url: str
    aws: AwsSettings


class Moved(NamedTuple):
    """How a redrive went."""

    moved: int
    refused: int
    left: int


def list_messages(options: Any) -> None:
    """Print what is in the dead-letter queue."""
    messages = _run(_look(_queues(options, needs_target=False), options.limit))
    if options.json:
        for message in messages:
            body = {"body": message["Body"]} if options.bodies else {}
            print_json({**_facts(message), **body})
        return
    screen, now = console(), datetime.now(UTC)
    if not messages:
        screen.print("The dead-letter queue is empty.")
        return
    made = plain_table("sent", "", "received", "bytes", "entries", "flawed", "message id", wraps=())
    for message in messages:
        facts = _facts(message)
        sent = datetime.fromisoformat(facts["sent_at"])
        numbers = [str(facts[name]) for name in ("receive_count", "bytes", "entries", "flawed")]
        made.add_row(local(sent, now), ago(sent, now), *numbers, Text(facts["message_id"]))
    screen.print(made)
    if options.bodies:
        for message in messages:
            screen.print(f"\n{message['MessageId']}", style="bold")
            for line in describe(message["MessageId"], message["Body"]):
                screen.print(Text(line), soft_wrap=True)
    screen.print(
        f"\n{len(messages)} message{'s' if len(messages) != 1 else ''}. Put them back: countersign audit dlq redrive",
        style="dim",
    )


def redrive(options: Any) -> None:
    """Move messages back to the audit queue."""
    show = _show_progress if sys.stderr.isatty() else _no_progress
    result = _run(redrive_messages(_queues(options, needs_target=True), options.limit, show))
    if options.json:
        print_json(result._asdict())
    else:
        console().print(f"Moved {result.moved} back to the audit queue, {result.left} left in the dead-letter queue.")
    if result.refused:
        raise CommandFailed(f"{result.refused} messages were refused by the audit queue and stay where they are")


def describe(message_id: str, body: str) -> list[str]:
    """Return one line of text for each line of a message: which event it is, or why it is none."""
    reading = read_message(message_id, body)
    entries = [
        (origin.line_no, f"{row.event_type}  {row.event_id}  {row.service} {row.instance} number {row.seq}")
        for origin, row in reading.rows
    ]
    flawed = [(line.origin.line_no, f"{line.flaw.value}: {line.detail}") for line in reading.flawed]
    return [f"{line_no:>5}  {printable(text)}" for line_no, text in sorted([*entries, *flawed])]


async def redrive_messages(queues: Queues, limit: int, progress: Progress) -> Moved:
    """
    Move up to `limit` messages; never more than were there at the start, so that one that comes straight back ends it too.

    A message is deleted only after the audit queue has acknowledged its copy. A kill in between leaves both; the log drops the
    second one's entries as duplicates.
    """
    moved = refused = 0
    async with _client(queues.aws) as client:
        wanted = min(limit, await _count(client, queues.dlq_url))
        while moved + refused < wanted:
            size = min(BATCH, wanted - moved - refused)
            messages = await _receive(client, queues.dlq_url, size, VISIBILITY_SECONDS)
            if not messages:
                break
            accepted, rejected = await _send(client, queues.queue_url or "", messages)
            if accepted:
                entries = [{"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]} for place, one in enumerate(accepted)]
                await client.delete_message_batch(QueueUrl=queues.dlq_url, Entries=entries)
            # Not shown again before this run ends: it would be received over and over.
            moved, refused = moved + len(accepted), refused + len(rejected)
            progress(moved, wanted)
        return Moved(moved, refused, await _count(client, queues.dlq_url))


async def _look(queues: Queues, limit: int) -> list[dict[str, Any]]:
    seen: dict[str, dict[str, Any]] = {}
    async with _client(queues.aws) as client:
        while len(seen) < limit:
            messages = await _receive(client, queues.dlq_url, min(BATCH, limit - len(seen)), LOOK_SECONDS)
            fresh = [message for message in messages if message["MessageId"] not in seen]
            if not fresh:
                break
            seen.update({message["MessageId"]: message for message in fresh})
        for message in seen.values():  # Only looked at: give it back at once.
            await client.change_message_visibility(
                QueueUrl=queues.dlq_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
    return list(seen.values())


async def _receive(client: Any, url: str, size: int, visibility_seconds: int) -> list[dict[str, Any]]:
    answer = await client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=size,
        WaitTimeSeconds=WAIT_SECONDS,
        VisibilityTimeout=visibility_seconds,
        MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


async def _send(client: Any, url: str, messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    # One by one: a batch may not be larger than one message may be.
    accepted, rejected = [], []
    for message in messages:
        try:
            await client.send_message(QueueUrl=url, MessageBody=message["Body"])
        except ClientError:
            rejected.append(message)
        else:
            accepted.append(message)
    return accepted, rejected


async def _count(client: Any, url: str) -> int:
    answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


@asynccontextmanager
async def _client(settings: AwsSettings) -> AsyncIterator[Any]:
    async with sqs_client(settings, read_seconds_max=ANSWER_SECONDS_MAX) as client:
        yield client


def _queues(options: Any, *, needs_target: bool) -> Queues:
    local_aws = find_stack(Path.cwd()).aws
    dlq_url: str | None = options.dlq_url or (local_aws.audit_dlq_url if local_aws else None)
    queue_url: str | None = options.queue_url or (local_aws.audit_queue_url if local_aws else None)
    region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not dlq_url:
        raise CommandFailed("which dead-letter queue? Give --dlq-url, or start the local stack with make run", USAGE)
    if needs_target and not queue_url:
        raise CommandFailed("back to which queue? Give --queue-url", USAGE)
    if local_aws is not None and not options.dlq_url:
        lend_credentials(local_aws)
        return Queues(queue_url, dlq_url, AwsSettings(aws_region=local_aws.region, aws_endpoint_url=local_aws.endpoint_url))
    if not region:
        raise CommandFailed("in which region? Give --region or set AWS_REGION", USAGE)
    return Queues(queue_url, dlq_url, AwsSettings(aws_region=region, aws_endpoint_url=options.endpoint_url))


def _facts(message: dict[str, Any]) -> dict[str, Any]:
    reading = read_message(message["MessageId"], message["Body"])
    attributes = message.get("Attributes", {})
    sent_at = datetime.fromtimestamp(int(attributes.get("SentTimestamp", "0")) / 1000, UTC)
    return {
        "message_id": message["MessageId"],
        "sent_at": sent_at.isoformat(),
        "receive_count": int(attributes.get("ApproximateReceiveCount", "0")),
        "bytes": reading.size_bytes,
        "entries": len(reading.rows),
        "flawed": len(reading.flawed),
    }


def _run(work: Any) -> Any:
    try:
        return asyncio.run(work)
    except NoCredentialsError as error:
        raise CommandFailed("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a profile") from error
    except ClientError as error:
        fault = error.response.get("Error", {})
        raise CommandFailed(f"SQS refused: {fault.get('Code', 'unknown')}: {fault.get('Message', '')}") from error
    except (BotoCoreError, OSError) as error:
        raise CommandFailed(f"SQS does not answer: {error}") from error


def _show_progress(moved: int, wanted: int) -> None:
    end = "\n" if moved >= wanted else ""
    sys.stderr.write(f"\r{moved} of {wanted} moved{end}")
    sys.stderr.flush()


def _no_progress(_moved: int, _wanted: int) -> None:
    return
