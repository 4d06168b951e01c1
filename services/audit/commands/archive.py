"""``countersign audit archive``, and what ``query`` and ``verify`` do with ``--archive``."""

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.audit.api.query import FILTER_FIELDS, QueryReader, read_filters
from services.audit.archiving.bucket import ArchiveBucket, s3_client
from services.audit.archiving.copy import ArchiveCopy, ArchivedEntry, Wanted
from services.audit.archiving.events import archive_written
from services.audit.archiving.job import ArchiveJob, LockTerms
from services.audit.archiving.keys import ArchiveKeys
from services.audit.archiving.lack import Lack
from services.audit.archiving.manifest import Manifest
from services.audit.archiving.store import ArchivedDay, ArchiveStore
from services.audit.commands.client import Entry, Params
from services.audit.commands.context import find_stack, lend_credentials
from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.progress import terminal_progress
from services.audit.commands.render import console, plain_table, print_json
from services.audit.commands.settings import audit_settings, open_archive, open_trail, reader_settings, run
from services.audit.filtering.fits import fits, is_in
from services.audit.reading import Row, read_line
from services.audit.settings import AuditSettings
from services.audit.storage.database import open_pool
from services.audit.storage.keys import KeyRing
from services.audit.storage.search import ID_COLUMNS, Filters
from services.audit.tree.notes import VerifierKey
from services.audit.verifying.archive import DayVerifier
from services.audit.verifying.archive import Row as ArchivedRow
from services.audit.verifying.erasures import ErasedRows
from services.audit.verifying.log import FINDINGS_MAX, Finding, Progress
from shared.settings import AwsSettings, read_keys, read_secrets

JOB_SECONDS_MAX: Final = 300.0
Lacking = Counter[Lack]


class DayVerified(NamedTuple):
    """What came out for one day, and how many of its entries were checked by their hash alone, by why."""

    manifest: Manifest
    findings: list[Finding]
    lacking: Lacking


def run_job(options: Any) -> None:
    """
    Archive every closed day that is not archived yet.

    Raises:
        CommandFailed: The bucket does not lock, the log does not fit what was signed, or something does not answer.
    """
    days = run(_archive(audit_settings(options), _progress(options, "read")))
    for day in days:
        if options.json:
            print_json(archive_written(day).data)
        else:
            count = day.end_leaf - day.first_leaf
            each = day.byte_count / count
            console().print(f"{day.day}: {count:,} entries, {day.byte_count:,} bytes ({each:.0f} each), {_locked(day)}")
    if not days and not options.json:
        console().print("Nothing to archive: every closed day is there, or another process is at it.")


def _locked(day: ArchivedDay) -> str:
    return f"locked ({day.lock_mode}) until {day.lock_until:%Y-%m-%d}"


async def _archive(settings: AuditSettings, progress: Progress) -> list[ArchivedDay]:
    async with open_archive(settings) as bucket, open_trail(settings) as trail:
        reading = await open_pool(
            read_secrets(settings.database_url_file)[0], name="archive", connections_max=2, seconds_max=JOB_SECONDS_MAX
        )
        clerk = await open_pool(read_secrets(settings.clerk_database_url_file)[0], name="archive-clerk", connections_max=2)
        try:
            terms = LockTerms(settings.archive_lock_mode, settings.archive_lock_days)
            store = ArchiveStore(reading, clerk, KeyRing(read_keys(settings.entry_key_file)))
            job = ArchiveJob(store, bucket, prefix=settings.archive_prefix, terms=terms, progress=progress)
            days = await job.run(datetime.now(UTC))
            for day in days:
                await trail.record(archive_written(day))
            return days
        finally:
            await reading.close()
            await clerk.close()


def list_days(options: Any) -> None:
    """Print what the archive holds, by its manifests."""
    days = run(_days(options))
    if options.json:
        print_json(*days)
        return
    made = plain_table("day", "first leaf", "entries", "objects", "bytes", "locked until", wraps=())
    for day in days:
        numbers = (day.first_leaf, day.end_leaf - day.first_leaf, len(day.objects), day.byte_count)
        made.add_row(day.day, *(f"{number:,}" for number in numbers), f"{day.lock_until[:10]} {day.lock_mode}")
    console().print(made if days else "The archive is empty.")


async def _days(options: Any) -> list[Manifest]:
    async with _copy(options) as copy:
        return await copy.days()


def search(options: Any, params: Params) -> tuple[list[Entry], Lacking]:
    """
    Return the entries of the archive that fit, newest first or in the asked order, and how many could not be read, by why.

    Args:
        options: Where the archive is, how many entries are wanted, and in which order.
        params: The filters, as the API takes them.

    Raises:
        CommandFailed: The archive cannot be read, or was damaged; or a filter is wrong, or none that it can answer.
    """
    return run(_search(options, _filters(params)))


async def _search(options: Any, filters: Filters) -> tuple[list[Entry], Lacking]:
    wanted = Wanted(filters.since, filters.until, filters.types, filters.outcomes)
    fit = _fits(filters)
    found: list[Entry] = []
    lacking = Lacking()
    async with _keys(options) as keys, _copy(options, keys) as copy:
        days = await copy.days()
        # Day by day, so that no more is fetched than it takes to find enough.
        for day in days if options.order == "asc" else reversed(days):
            files = [await copy.fetch(part) for part in day.parts if _overlaps(part, wanted)]
            for one in _in_order(await copy.entries(files, wanted), options.order):
                if one.lack is not None:
                    lacking[one.lack] += 1
                if one.entry is not None and fit(one.entry):
                    found.append(_entry(one, one.entry))
                    if len(found) == options.limit:
                        return found, lacking
    return found, lacking


def _in_order(entries: Iterator[ArchivedEntry], order: str | None) -> Iterable[ArchivedEntry]:
    return sorted(entries, key=lambda one: one.leaf_index) if order == "asc" else entries


def verify_days(options: Any, keys: list[VerifierKey]) -> list[DayVerified]:
    """
    Verify every day of the archive, and that each begins where the one before ended.

    Raises:
        CommandFailed: The archive cannot be read.
    """
    return run(_verify(options, keys))


async def _verify(options: Any, keys: list[VerifierKey]) -> list[DayVerified]:
    results: list[DayVerified] = []
    erased = ErasedRows()
    async with _keys(options) as opening, _copy(options, opening) as copy:
        before: Manifest | None = None
        for day in await copy.days():
            verifier = DayVerifier(day, keys, erased=erased, progress=_progress(options, f"of {day.day} verified"))
            hashes = (await copy.fetch(day.hashes)).read_bytes()
            verifier.check_tree(hashes)
            files = [await copy.fetch(part) for part in day.parts]
            findings = verifier.check_rows(hashes, map(_row, await copy.entries(files, Wanted())))
            if before is not None and day.first_leaf != before.end_leaf:
                detail = f"begins at leaf {day.first_leaf}, and the day before it ends at {before.end_leaf}: a day is missing"
                findings = [*findings, Finding(f"day {day.day}", detail)]
            results.append(DayVerified(day, findings, verifier.lacking))
            before = day
    _insist_on_records(results, erased)
    return results


def _insist_on_records(results: list[DayVerified], erased: ErasedRows) -> None:
    """Say which of the erased entries the log itself does not name: they are lost, or were erased behind the archive's end."""
    unrecorded = erased.unrecorded()
    ends = [one.manifest.end_leaf for one in results]
    for index in unrecorded.later:
        lacking = results[bisect_right(ends, index)].lacking
        lacking[Lack.ERASED_LATER] += 1
        lacking[Lack.ERASED] -= 1
    for index in unrecorded.lost:
        day = results[bisect_right(ends, index)]
        day.lacking[Lack.ERASED] -= 1
        if len(day.findings) < FINDINGS_MAX:
            detail = "is LOST: the database says that its key was destroyed, and no erasure in the archive names it"
            day.findings.append(Finding(f"entry at leaf {index}", detail))


def find_receipt(options: Any, keys: list[VerifierKey], event_id: str, leaf: bytes) -> list[Finding]:
    """
    Return what is wrong with a receipt, by the archive alone: nothing when its day is as it was sealed and holds the entry.

    Raises:
        CommandFailed: The archive cannot be read.
    """
    return run(_find_receipt(options, keys, event_id, leaf))


async def _find_receipt(options: Any, keys: list[VerifierKey], event_id: str, leaf: bytes) -> list[Finding]:
    name = f"event {event_id}"
    async with _copy(options) as copy:
        for day in sorted(await copy.days(), key=lambda day: _days_between(day, event_id)):
            files = [await copy.fetch(part) for part in day.parts]
            found = next(await copy.entries(files, Wanted(event_id=event_id)), None)
            if found is None:
                continue
            hashes = (await copy.fetch(day.hashes)).read_bytes()
            findings = DayVerifier(day, keys, erased=ErasedRows()).check_tree(hashes)
            place = found.leaf_index - day.first_leaf
            if hashes[place * 32 : (place + 1) * 32] != leaf:
                findings = [*findings, Finding(name, f"is in the archive ({day.day}) with another hash than was promised")]
            return findings
    return [Finding(name, "is not in the archive")]


def _days_between(day: Manifest, event_id: str) -> timedelta:
    """Return how far a day is from when an event happened: most are sealed on the day itself."""
    try:
        happened_at = datetime.fromtimestamp((UUID(event_id).int >> 80) / 1000, UTC)
    except (ValueError, OverflowError):  # A receipt that we never gave: it is looked for, and not found.
        return timedelta.max
    return abs(date.fromisoformat(day.day) - happened_at.date())


@asynccontextmanager
async def _copy(options: Any, keys: ArchiveKeys | None = None) -> AsyncIterator[ArchiveCopy]:
    aws, bucket = _place(options)
    folder = Path(options.cache) if options.cache else Path.home() / ".cache" / "countersign" / "archive" / bucket
    async with s3_client(aws) as client:
        yield ArchiveCopy(ArchiveBucket(client, bucket), options.prefix, folder, keys)


@asynccontextmanager
async def _keys(options: Any) -> AsyncIterator[ArchiveKeys | None]:
    """Give what opens entries about people, when it is known whose they are."""
    settings = reader_settings(options)
    if settings is None:
        yield None
        return
    url = read_secrets(settings.database_url_file)[0]
    pool = await open_pool(url, name="archive-reader", connections_max=1, seconds_max=JOB_SECONDS_MAX)
    try:
        yield ArchiveKeys(pool, KeyRing(read_keys(settings.entry_key_file)))
    finally:
        await pool.close()


def _place(options: Any) -> tuple[AwsSettings, str]:
    """Return where the archive is: of the options, or the local stack's."""
    stack = find_stack(Path.cwd()).aws
    if options.bucket is None and stack is not None and stack.archive_bucket is not None:
        lend_credentials(stack)
        return AwsSettings(aws_region=stack.region, aws_endpoint_url=stack.endpoint_url), stack.archive_bucket
    if options.bucket is None:
        raise CommandFailed("which archive? Give --bucket, or start the local stack with make run", USAGE)
    region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise CommandFailed("in which region? Give --region or set AWS_REGION", USAGE)
    return AwsSettings(aws_region=region, aws_endpoint_url=options.endpoint_url), options.bucket


def _filters(params: Params) -> Filters:
    """Read filters as the service does."""
    if any(name == "email" for name, _ in params):
        raise CommandFailed("the archive holds no addresses: find the account first, and give --subject", USAGE)
    reader = QueryReader(params, FILTER_FIELDS)
    filters = read_filters(reader, ())
    if reader.errors:
        raise CommandFailed("; ".join(f"{error['field']}: {error['message']}" for error in reader.errors), USAGE)
    return filters


def _overlaps(part: Any, wanted: Wanted) -> bool:
    first, last = (datetime.fromtimestamp(us / 1e6, UTC) for us in (part.occurred_first_us, part.occurred_last_us))
    return (wanted.until is None or first < wanted.until) and (wanted.since is None or last >= wanted.since)


def _fits(filters: Filters) -> Callable[[bytes], bool]:
    """Return whether an entry fits the filters that the archive has no columns for."""
    identifiers = (
        ("subject_sub", filters.subject),
        ("session_ref", filters.session),
        ("attempt_id", filters.attempt),
        ("request_id", filters.request),
    )
    wanted = [(column, value) for column, value in identifiers if value is not None]
    ip, text, expression = filters.ip, filters.text, filters.expression
    if not wanted and ip is None and text is None and expression is None:
        return lambda entry: True

    def fit(entry: bytes) -> bool:
        row = read_line(entry)
        if any(getattr(row, column) != value for column, value in wanted):
            return False
        if ip is not None and not is_in(row.ip, ip):
            return False
        if text is not None and not _holds(row, text):
            return False
        return expression is None or fits(expression, row)

    return fit


def _holds(row: Row, text: str) -> bool:
    return text.lower() in row.words or text in (row.event_id, *(getattr(row, column) for column in ID_COLUMNS))


def _entry(found: ArchivedEntry, entry: bytes) -> Entry:
    recorded_at = found.recorded_at.isoformat().replace("+00:00", "Z")
    return Entry(msgspec.Raw(entry), found.leaf_hash.hex(), recorded_at, found.leaf_index)


def _row(found: ArchivedEntry) -> ArchivedRow:
    what = found.event_id, found.leaf_index, found.leaf_hash, found.recorded_at, found.entry
    return ArchivedRow(*what, found.lack, found.key_id, found.erased_at)


def _progress(options: Any, verb: str) -> Progress:
    return terminal_progress(verb, is_quiet=options.json)
