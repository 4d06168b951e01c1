"""``countersign audit reconcile``: our log against the providers' own records."""

import asyncio
import gzip
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from services.audit.commands.alerts import time_range
from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.progress import terminal_progress
from services.audit.commands.render import console, plain_table, print_json, shown
from services.audit.commands.times import local

S3: Final = "s3://"
GZIP: Final = b"\x1f\x8b"
# What one request takes, in lines: far below the limit in bytes.
LINES_AT_ONCE: Final = 2_000
IMPORT_SECONDS_MAX: Final = 300.0


def report(options: Any) -> None:
    """
    Print what matches and what does not.

    Raises:
        CommandFailed: A provider knows of something that we do not; or the service cannot be asked.
    """
    body = AuditClient(*audit_address(options)).read("/v1/reconciliation", time_range(options))
    answer = decoded(body)
    if options.json:
        print_json(decoded(body, msgspec.Raw))
    else:
        _print(answer)
    count = sum(source["only_theirs"] for source in answer["sources"].values())
    if count:
        raise CommandFailed(f"{count} record{'s' if count != 1 else ''} of a provider's that the gateway knows nothing of")


def import_log(options: Any) -> None:
    """Put Cognito's own records into the log: of a file, of standard input, or of all objects under an S3 prefix."""
    client = AuditClient(*audit_address(options))
    contents = [content.splitlines() for content in _contents(options)]
    total = sum(len(lines) for lines in contents)
    show = terminal_progress("read", is_quiet=options.json)
    done = imported = others = unreadable = 0
    for lines in contents:
        for start in range(0, len(lines), LINES_AT_ONCE):
            some = lines[start : start + LINES_AT_ONCE]
            body = client.send("POST", "/v1/reconciliation/imports", b"\n".join(some), seconds_max=IMPORT_SECONDS_MAX)
            answer = decoded(body)
            imported, others = imported + answer["imported"], others + answer["others"]
            unreadable += len(answer["unreadable"])
            done += len(some)
            show(done, total)
    if unreadable and not imported + others:
        raise CommandFailed(f"nothing in {options.source} could be read: Cognito's export has one JSON object a line", USAGE)
    if options.json:
        print_json({"imported": imported, "others": others, "unreadable": unreadable})
    else:
        console().print(f"{imported} records imported, {others} lines about something else, {unreadable} unreadable.")


def _contents(options: Any) -> Iterator[bytes]:
    if options.source.startswith(S3):
        bucket, _, prefix = options.source.removeprefix(S3).partition("/")
        for content in asyncio.run(_objects(bucket, prefix, options)):
            yield _unpacked(content)
        return
    try:
        yield _unpacked(sys.stdin.buffer.read() if options.source == "-" else Path(options.source).read_bytes())
    except OSError as error:
        raise CommandFailed(f"{options.source} cannot be read: {error.strerror or error}", USAGE) from error


async def _objects(bucket: str, prefix: str, options: Any) -> list[bytes]:
    region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    found = []
    try:
        async with get_session().create_client("s3", region_name=region, endpoint_url=options.endpoint_url) as s3:
            async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for one in page.get("Contents", ()):
                    answer = await s3.get_object(Bucket=bucket, Key=one["Key"])
                    found.append(await answer["Body"].read())
    except (BotoCoreError, ClientError, OSError) as error:
        raise CommandFailed(f"{options.source} cannot be read: {error}") from error
    return found


def _unpacked(content: bytes) -> bytes:
    try:
        return gzip.decompress(content) if content.startswith(GZIP) else content
    except (OSError, EOFError) as error:
        raise CommandFailed(f"a packed file is damaged: {error}") from error


def _print(answer: dict[str, Any]) -> None:
    screen, now = console(), datetime.now(UTC)
    made = plain_table("provider", "matched", "only ours", "only theirs", "on the way", wraps=())
    for name, source in answer["sources"].items():
        if source["has_records"]:
            made.add_row(name, *(f"{source[key]:,}" for key in ("matched", "only_ours", "only_theirs", "pending")))
        else:
            made.add_row(name, "no records for this time", "", "", "")
    screen.print(made)
    for side, style in (("only_theirs", "bold red"), ("only_ours", "yellow")):
        for one in answer[side]:
            when = local(datetime.fromisoformat(one["occurred_at"]), now)
            said = shown(f"  {when}  {one['source']} {one['kind']} {one['subject']} {one['ref']}")
            screen.print(Text(side.replace("_", " "), style=style) + said, soft_wrap=True)
