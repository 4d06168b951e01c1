"""A log with an old month in it."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from services.audit.retention.plan import next_month
from services.audit.retention.store import PARENTS
from shared.ids import uuid7
from tests.integration.audit.lab import Database


def months_ago(count: int) -> date:
    """Return the first day of a month."""
    day = datetime.now(UTC).date().replace(day=1)
    for _ in range(count):
        day = (day - timedelta(days=1)).replace(day=1)
    return day


def id_in(month: date) -> str:
    """Return a new event id of a month."""
    return str(UUID(int=_first_id(month).int | (1 << 80) | (uuid7().int & ((1 << 80) - 1))))


async def make_month(database: Database, month: date) -> None:
    """Make the partitions of an old month, which the consumer made when it was young."""
    for parent in PARENTS:
        await database.fetch(
            f"CREATE TABLE audit.{parent}_{month:%Y_%m} PARTITION OF audit.{parent} FOR VALUES "
            f"FROM ('{_first_id(month)}') TO ('{_first_id(next_month(month))}')",
            role="countersign_owner",
        )


def _first_id(month: date) -> UUID:
    return UUID(int=int(datetime(month.year, month.month, 1, tzinfo=UTC).timestamp() * 1000) << 80)
