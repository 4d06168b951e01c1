"""Commands that work on database and bucket themselves, for whoever runs the service: they take its settings file."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
from botocore.exceptions import BotoCoreError

from services.audit.archiving.bucket import ArchiveBucket, ArchiveDamaged, ArchiveNotLocked, ArchiveUnavailable, s3_client
from services.audit.archiving.job import DayDamaged
from services.audit.archiving.manifest import ManifestInvalid
from services.audit.archiving.store import EntriesLost
from services.audit.commands.context import find_stack, lend_credentials
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.settings import AuditSettings
from services.audit.storage.database import UNAVAILABLE, DatabaseUnavailable, QueryTooSlow
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.settings import SettingsError, load
from shared.sqs import queue_sender

SETTINGS_VARIABLE: Final = "COUNTERSIGN_SETTINGS"
SETTINGS_HELP: Final = f"the audit service's settings (default: the file that {SETTINGS_VARIABLE} names)"
T = TypeVar("T")


def audit_settings(options: Any) -> AuditSettings:
    """
    Return the settings of the audit service.

    Raises:
        CommandFailed: No file is named, or it cannot be read.
    """
    path = options.settings or os.environ.get(SETTINGS_VARIABLE)
    if not path:
        raise CommandFailed(f"whose settings? Give the audit service's file with --settings or set {SETTINGS_VARIABLE}", USAGE)
    return _loaded(path)


def reader_settings(options: Any) -> AuditSettings | None:
    """
    Return the settings of the audit service whose archive is read; the local stack's when the archive is its own; else none.

    Raises:
        CommandFailed: A file is named and cannot be read.
    """
    local = find_stack(Path.cwd()).audit_settings if options.bucket is None else None
    path = options.settings or os.environ.get(SETTINGS_VARIABLE) or local
    return _loaded(path) if path else None


def _loaded(path: str) -> AuditSettings:
    try:
        settings = load(AuditSettings, path)
    except SettingsError as error:
        raise CommandFailed(str(error), USAGE) from error
    stack = find_stack(Path.cwd()).aws
    if stack is not None and settings.aws_endpoint_url == stack.endpoint_url:
        lend_credentials(stack)
    return settings


@asynccontextmanager
async def open_archive(settings: AuditSettings) -> AsyncIterator[ArchiveBucket]:
    """
    Open the archive that the settings name.

    Raises:
        CommandFailed: They name none.
    """
    if settings.archive_bucket is None:
        raise CommandFailed("these settings name no archive: set archive_bucket", USAGE)
    async with s3_client(settings) as client:
        yield ArchiveBucket(client, settings.archive_bucket)


@asynccontextmanager
async def open_trail(settings: AuditSettings) -> AsyncIterator[AuditTrail]:
    """Open a way into the log."""
    async with queue_sender(settings, settings.audit_queue_url) as send:
        trail = AuditTrail(send, "audit")
        try:
            yield trail
        finally:
            await trail.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """
    Run a command's work.

    Raises:
        CommandFailed: With one line about what went wrong.
    """
    try:
        return asyncio.run(work)
    except (ArchiveNotLocked, ArchiveDamaged, ArchiveUnavailable, ManifestInvalid, DayDamaged, EntriesLost) as error:
        raise CommandFailed(str(error)) from error
    except SettingsError as error:
        raise CommandFailed(str(error), USAGE) from error
    except AuditUnavailable as error:
        raise CommandFailed(f"the audit queue does not take the event, so nothing was done: {error}") from error
    except (DatabaseUnavailable, QueryTooSlow, asyncpg.PostgresError, *UNAVAILABLE) as error:
        raise CommandFailed(f"the database does not answer: {error}") from error
    except BotoCoreError as error:
        raise CommandFailed(f"S3 does not answer: {error}") from error
