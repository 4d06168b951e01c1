"""Who signed a webhook."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.authsignal.webhooks.signature import signature_header
from services.challenge.webhooks import SIGNATURES_MAX, TOLERANCE_SECONDS, check
from shared.challenge_api import WebhookVerdict

KEY, OLD = "k" * 32, "o" * 32
NOW = 1_740_016_316
BODY = b'{"version":1,"id":"bc1598bc-e5d6-4c69-9afb-1a6fe3469d6e"}'
VECTOR = "t=1740016316,v2=nGUCPIgB/VrGP93BX2zCk9SyzKcz5XKQ2kEJre57yZ4"


def judged(header: str, *, body: bytes = BODY, keys: tuple[str, ...] = (KEY,), now: float = NOW) -> WebhookVerdict:
    """Check with the defaults of this file."""
    return check(header, body, keys=keys, now=now)


def signed(*keys: str, at: int = NOW) -> str:
    """Sign as the sender does."""
    return signature_header(BODY, keys=keys or (KEY,), at=at)


def test_the_known_vector_is_genuine() -> None:
    """The vector that Authsignal's Node SDK accepts is accepted, with and without padding, and under no other key."""
    assert judged(VECTOR, keys=("sk_test_123",)) is WebhookVerdict.GENUINE
    assert judged(VECTOR + "=", keys=("sk_test_123",)) is WebhookVerdict.GENUINE
    assert judged(VECTOR, keys=("sk_test_124",)) is WebhookVerdict.MISMATCHED


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS])
def test_five_minutes_are_tolerated_both_ways(seconds: int) -> None:
    """A time up to five minutes off ours is good, one second more is not, in the past and in the future alike."""
    assert judged(signed(), now=NOW + seconds) is WebhookVerdict.GENUINE
    beyond = seconds + (1 if seconds > 0 else -1)
    assert judged(signed(), now=NOW + beyond) is (WebhookVerdict.STALE if seconds else WebhookVerdict.GENUINE)


@pytest.mark.parametrize(
    ("senders", "ours"),
    [((KEY,), (KEY, OLD)), ((OLD,), (KEY, OLD)), ((OLD, KEY), (KEY,)), ((KEY, OLD), (KEY,)), ((KEY, OLD), (OLD, KEY))],
)
def test_one_match_is_enough(senders: tuple[str, ...], ours: tuple[str, ...]) -> None:
    """While keys rotate, on either side, one signature under one live key is enough, in any order."""
    assert judged(signed(*senders), keys=ours) is WebhookVerdict.GENUINE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v2=x",
        f"t={NOW}",
        "v2=x",
        f"t={NOW} ,v2=x",
        f"t={NOW},t={NOW},v2=x",
        f"t=-{NOW},v2=x",
        "t=1740016316٣,v2=x",
        f"t={NOW}," + ",".join(["v2=x"] * (SIGNATURES_MAX + 1)),
        f"t={NOW},v2=" + "x" * 1024,
        f"t={NOW}, v2=x",
    ],
)
def test_anything_else_is_malformed(header: str) -> None:
    """A header that is not one time and one to four signatures is refused before anything is computed."""
    assert judged(header) is WebhookVerdict.MALFORMED


def test_no_key_takes_nothing_in() -> None:
    """Without a key nothing is genuine, not even what is signed under an empty one."""
    assert judged(signature_header(BODY, keys=("",), at=NOW), keys=()) is WebhookVerdict.CLOSED


@given(body=st.binary(max_size=64), header=st.text(max_size=80))
def test_nothing_but_a_signature_opens(body: bytes, header: str) -> None:
    """No other body under a true signature, and no other signature of a true body, is genuine."""
    if body != BODY:
        assert judged(signed(), body=body) is WebhookVerdict.MISMATCHED
    assert judged(header) is not WebhookVerdict.GENUINE
    assert judged(f"t={NOW},v2={header}") is not WebhookVerdict.GENUINE
