"""Assertions: only a fresh one, signed with a live key, for this pool, purpose and subject, is accepted."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cognito_triggers.assertion import AssertionRefused, keys_from, verify_assertion
from tests.unit.triggers import minting
from tests.unit.triggers.minting import KEY, OTHER_KEY, POOL, SUB

NOW = 1_800_000_000


def mint(key: str = KEY, **changes: Any) -> str:
    """Mint an assertion that was issued at ``NOW``, so that how long the test run takes does not matter."""
    return minting.mint(key, **{"iat": NOW, "exp": NOW + 60, **changes})


def check(token: object, *, keys: tuple[str, ...] = (KEY,), now: float = NOW, **changes: Any) -> str:
    """Verify a sign-in assertion and return its attempt."""
    expected = {"pool_id": POOL, "purpose": "sign_in", "subject": SUB, **changes}
    return verify_assertion(token, keys=tuple(key.encode() for key in keys), now=now, **expected).attempt_id


def refused(token: object, **changes: Any) -> str:
    """Return the reason for which a token is refused."""
    with pytest.raises(AssertionRefused) as raised:
        check(token, **changes)
    return raised.value.reason


def test_a_fresh_assertion_is_accepted() -> None:
    """A good assertion, as PyJWT mints it, names its attempt."""
    assert check(mint()) == "att_0123456789"


def test_two_keys_are_live_during_rotation() -> None:
    """While keys are rotated an assertion by either key is accepted."""
    assert check(mint(OTHER_KEY), keys=(KEY, OTHER_KEY)) == check(mint(KEY), keys=(KEY, OTHER_KEY))


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (mint(OTHER_KEY), "signature"),
        (mint(algorithm="HS512"), "algorithm"),
        (mint(headers={"crit": ["exp"]}), "algorithm"),
        (mint(iss="somebody-else"), "issuer"),
        (mint(aud="us-east-1_AnotherPoo"), "pool"),
        (mint(aud=[POOL]), "pool"),
        (mint(purpose="sign_up"), "purpose"),
        (mint(sub="7f0c1c52-0000-4000-8000-00000000a002"), "subject"),
        (mint(sub=None), "subject"),
        (mint(jti=None), "ids_missing"),
        (mint(attempt_id=None), "ids_missing"),
        (mint(attempt_id=7), "ids_missing"),
        (mint(exp=None), "times_missing"),
        (mint(iat=None), "times_missing"),
        (mint(iat=True, exp=False), "times_missing"),
        (mint(exp=NOW + 3600), "life_too_long"),
        ("", "missing"),
        (None, "missing"),
        (7, "missing"),
        ("a.b", "malformed"),
        ("a.b.c.d", "malformed"),
        ("é.é.é", "malformed"),
        ("x" * 5000, "malformed"),
        (f"{mint()}=", "malformed"),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, str) else repr(value),
)
def test_everything_else_is_refused_for_its_own_reason(token: object, reason: str) -> None:
    """Another key, algorithm, issuer, pool, purpose or subject, a missing claim or a malformed token is refused."""
    assert refused(token) == reason


def test_an_unsigned_token_is_refused() -> None:
    """The algorithm "none" is not an algorithm here, whatever the payload says."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    payload = mint().split(".")[1]

    assert refused(f"{header}.{payload}.") == "algorithm"
    assert refused(f"{header}.{payload}.AA") == "algorithm"


def test_a_token_with_no_subject_never_matches_an_empty_one() -> None:
    """When Cognito sends no sub, not even an assertion with an empty subject is accepted."""
    assert refused(mint(sub=""), subject="") == "subject"


@pytest.mark.parametrize(
    ("age_seconds", "verdict"),
    [(-6, "not_yet_valid"), (-5, "ok"), (0, "ok"), (60, "ok"), (64, "ok"), (65, "expired"), (3600, "expired")],
)
def test_life_is_a_minute_with_five_seconds_of_skew(age_seconds: int, verdict: str) -> None:
    """An assertion is good from 5 s before it was issued, for clocks that differ, to 5 s after it ends."""
    token = mint()

    if verdict == "ok":
        assert check(token, now=NOW + age_seconds)
    else:
        assert refused(token, now=NOW + age_seconds) == verdict


@given(position=st.integers(min_value=0), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_."))
def test_no_single_changed_letter_goes_unnoticed(position: int, letter: str) -> None:
    """Changing any letter of header or payload, or of the signature but for its unused last bits, is refused."""
    token = mint()
    at = position % (len(token) - 1)
    changed = token[:at] + letter + token[at + 1 :]

    if changed == token:
        assert check(changed)
    else:
        assert refused(changed)


@given(st.one_of(st.none(), st.text(), st.binary(), st.integers(), st.lists(st.text()), st.dictionaries(st.text(), st.text())))
def test_rubbish_is_refused_and_never_raises_anything_else(rubbish: object) -> None:
    """Whatever a caller sends, the answer is a refusal."""
    assert refused(rubbish)


@pytest.mark.parametrize("value", ["", " , ", "short", f"{KEY},{OTHER_KEY},{KEY}", f"{KEY},short"])
def test_a_function_deployed_without_proper_keys_refuses_everybody(value: str) -> None:
    """No key, a short key or more than two keys is a deployment error, and no way in."""
    with pytest.raises(AssertionRefused) as raised:
        keys_from({"ASSERTION_KEYS": value})
    assert raised.value.reason == "keys_misconfigured"


def test_keys_are_read_newest_first() -> None:
    """The signing key and the one before it are read from one variable."""
    assert keys_from({"ASSERTION_KEYS": f"{KEY}, {OTHER_KEY}"}) == (KEY.encode(), OTHER_KEY.encode())
