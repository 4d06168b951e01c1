"""The log after chaos: everything once, sealed, explained and proven."""

from pathlib import Path

from tests.faults.audit.chaos import run_chaos
from tests.integration.audit.lab import Database, QueuePair

EVENTS = 3_000


async def test_nothing_is_lost_in_chaos(queue: QueuePair, database: Database, tmp_path: Path) -> None:
    """
    Duplicates, any order, damaged lines and services killed at random: each event is stored once with its very bytes, is
    sealed, and its receipt proves; every damaged line explains its hole; no hole is left over.
    """
    outcome = await run_chaos(queue, database, tmp_path, events=EVENTS, kills=3, seed=7, seconds_max=400)

    assert outcome.faults == []
    assert (outcome.missing, outcome.altered, outcome.unproven, outcome.quarantine_missing) == (0, 0, 0, 0)
    assert outcome.proven == outcome.stored
    assert (outcome.explained, outcome.unexplained) == (EVENTS - outcome.stored, 0)
    assert outcome.kills == 3
