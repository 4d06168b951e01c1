"""What the log says about its own archive."""

from services.audit.archiving.store import ArchivedDay
from shared.events import Draft, EventType, Outcome


def archive_written(day: ArchivedDay) -> Draft:
    """Return the event that a day is archived: with it in the log, a manifest that was put over another is told from it."""
    return Draft(
        event_type=EventType.AUDIT_ARCHIVE_WRITTEN,
        outcome=Outcome.SUCCESS,
        data={
            "day": day.day.isoformat(),
            "first_leaf": day.first_leaf,
            "end_leaf": day.end_leaf,
            "bucket": day.bucket,
            "manifest_key": day.manifest_key,
            "manifest_version": day.manifest_version,
            "manifest_sha256": day.manifest_sha256.hex(),
            "lock_mode": day.lock_mode,
            "lock_until": day.lock_until.isoformat(),
        },
    )
