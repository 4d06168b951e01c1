"""Consumers wait for a sequencer that is behind, and for no other."""

import asyncio

import pytest

from services.audit.consumer import pace as pacing
from services.audit.consumer.pace import LOOK_SECONDS, Pace, is_behind
from services.audit.storage.database import DatabaseUnavailable
from services.audit.storage.producers import Unsealed

BEHIND = Unsealed(oldest_seconds=0.8, since_seal_seconds=0.3)
CAUGHT_UP = Unsealed(oldest_seconds=0.2, since_seal_seconds=0.1)


@pytest.mark.parametrize(
    ("unsealed", "is_it"),
    [
        (BEHIND, True),
        (CAUGHT_UP, False),
        (Unsealed(None, 3_600.0), False),
        (Unsealed(0.8, 60.0), False),
        (Unsealed(3_600.0, 0.1), True),
        (None, False),
    ],
    ids=["behind", "caught up", "all sealed", "sealing stands still", "far behind, and at work", "never sealed"],
)
def test_who_is_behind(unsealed: Unsealed | None, is_it: bool) -> None:
    """
    Behind is a sequencer that sealed a moment ago, and for whom something waits longer than half a second.
    """
    assert is_behind(unsealed) is is_it


class Sealing:
    """Answers what it is told to, the last for ever, and counts how often it was asked."""

    def __init__(self, *answers: Unsealed | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def look(self) -> Unsealed | None:
        """Answer."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_batches_wait_until_sealing_has_caught_up() -> None:
    """
    A batch is held until the sequencer has caught up, and how long that took is counted.
    """
    sealing, held = Sealing(BEHIND, BEHIND, CAUGHT_UP), list[float]()
    await Pace(sealing.look, held.append).wait()
    assert sealing.asked == 3
    assert held[0] >= 2 * LOOK_SECONDS * 0.9


async def test_one_look_does_for_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Batches of one moment cost one look.
    """
    # However long the machine takes for fifty batches, they are of one moment.
    monkeypatch.setattr(pacing, "LOOK_SECONDS", 3600.0)
    sealing = Sealing(CAUGHT_UP)
    pace = Pace(sealing.look, lambda _: None)
    await asyncio.gather(*(pace.wait() for _ in range(50)))
    assert sealing.asked == 1


async def test_a_database_that_does_not_answer_holds_nothing() -> None:
    """
    When nobody can say what waits, the append is tried: it has words of its own for a database that is away.
    """
    sealing = Sealing(BEHIND, DatabaseUnavailable("away"))
    await Pace(sealing.look, lambda _: None).wait()
    assert sealing.asked == 2
