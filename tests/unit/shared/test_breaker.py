"""The circuit breaker, on a clock of the test's own."""

import pytest

from shared.http.breaker import CircuitBreaker, CircuitOpen


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    """A breaker that opens at three failures, for five seconds."""
    return CircuitBreaker(failures_max=3, open_seconds=5.0, clock=clock)


def fail(breaker: CircuitBreaker, times: int) -> None:
    """Make calls that fail."""
    for _ in range(times):
        breaker.before_call()
        breaker.failed()


def test_it_opens_at_the_limit(breaker: CircuitBreaker) -> None:
    """The third failure in a row opens it, not the second."""
    fail(breaker, 2)
    breaker.before_call()
    breaker.failed()

    with pytest.raises(CircuitOpen):
        breaker.before_call()


def test_a_success_between_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    """Only failures in a row count."""
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)

    assert not breaker.is_open


def test_one_probe_goes_through(breaker: CircuitBreaker, clock: Clock) -> None:
    """After its time one call is let through, and the others go on being refused until that one has its answer."""
    fail(breaker, 3)
    clock.now += 5.0

    breaker.before_call()

    with pytest.raises(CircuitOpen):
        breaker.before_call()


def test_a_good_probe_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    """When the probe is answered everything goes through again, and three new failures are needed to open it."""
    fail(breaker, 3)
    clock.now += 5.0
    breaker.before_call()
    breaker.succeeded()

    fail(breaker, 2)
    assert not breaker.is_open


def test_a_bad_probe_opens_it_again(breaker: CircuitBreaker, clock: Clock) -> None:
    """When the probe fails too, the wait starts anew."""
    fail(breaker, 3)
    clock.now += 5.0
    fail(breaker, 1)
    clock.now += 4.9
    assert breaker.is_open

    clock.now += 0.2

    breaker.before_call()


def test_a_lost_probe_does_not_lock_it(breaker: CircuitBreaker, clock: Clock) -> None:
    """A probe that never tells how it ended is followed by another after the same wait."""
    fail(breaker, 3)
    clock.now += 5.0
    breaker.before_call()
    clock.now += 5.0

    breaker.before_call()
