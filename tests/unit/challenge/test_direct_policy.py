"""The direct client's rules, as functions of values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.challenge.authsignal.answers import Authenticator, Tracked, UserDetails, Validated
from services.challenge.direct import policy
from services.challenge.direct.policy import Refusal, Withheld

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SUB = "7f0c1c52-0000-4000-8000-00000000a001"
KEY, OTHER_KEY = "0b2f4c1e-6f0e-4c9a-8f52-6f3a5f1f0c11", "0b2f4c1e-6f0e-4c9a-8f52-6f3a5f1f0c12"
ADDRESS = "a@example.test"


def tracked(state: str, *, is_enrolled: bool = True) -> Tracked:
    """Return an answer to track."""
    return Tracked(state=state, idempotency_key=KEY, token="t", is_enrolled=is_enrolled)


def validated(**changes: Any) -> Validated:
    """Return the answer for a good proof of this sign-in, with changes."""
    good = {
        "is_valid": True,
        "state": "CHALLENGE_SUCCEEDED",
        "state_updated_at": "2026-01-02T03:04:00.000Z",
        "user_id": SUB,
        "action": "cognitoAuth",
        "action_code": "cognitoAuth",
        "idempotency_key": KEY,
        "verification_method": "EMAIL_OTP",
    }
    return Validated(**{**good, **changes})


def refused(**changes: Any) -> Refusal | None:
    """Judge a proof."""
    return policy.refusal(validated(**changes), sub=SUB, idempotency_key=KEY, now=NOW)


def authenticator(**changes: Any) -> Authenticator:
    """Return a proven mailbox, with changes."""
    good = {"user_authenticator_id": "1", "verification_method": "EMAIL_OTP", "created_at": "x", "verified_at": "x"}
    return Authenticator(**{**good, "email": ADDRESS, **changes})


@pytest.mark.parametrize("state", ["ALLOW", "CHALLENGE_REQUIRED", "CHALLENGE_SUCCEEDED"])
@pytest.mark.parametrize("is_email_verified", [True, False])
def test_whoever_has_a_factor_gets_a_token(state: str, is_email_verified: bool) -> None:
    """An enrolled person may go on, in a further round too, when the challenge has been passed already."""
    assert policy.withheld(tracked(state), is_email_verified=is_email_verified) is None


def test_only_a_sign_up_that_has_not_ended_gets_a_token_to_enrol_with() -> None:
    """Without any factor, only an account whose address nobody has verified is let enrol one."""
    nobody = tracked("ALLOW", is_enrolled=False)

    assert policy.withheld(nobody, is_email_verified=False) is None
    assert policy.withheld(nobody, is_email_verified=True) is Withheld.NO_FACTOR


@pytest.mark.parametrize("is_email_verified", [True, False])
@pytest.mark.parametrize("is_enrolled", [True, False])
@given(state=st.sampled_from(["BLOCK", "CHALLENGE_FAILED", "REVIEW_REQUIRED", "REVIEW_FAILED", "", "NEW"]) | st.text())
def test_every_other_state_gets_none(is_email_verified: bool, is_enrolled: bool, state: str) -> None:
    """Whatever is not named as open is closed, enrolled or not."""
    if state in {"ALLOW", "CHALLENGE_REQUIRED", "CHALLENGE_SUCCEEDED"}:
        return
    why = policy.withheld(tracked(state, is_enrolled=is_enrolled), is_email_verified=is_email_verified)

    assert why is (Withheld.REVIEW if state == "REVIEW_REQUIRED" else Withheld.BLOCKED)


def test_a_proof_of_this_very_sign_in_is_taken() -> None:
    """User, action and key as they should be, and the challenge passed."""
    assert refused() is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"user_id": None}, Refusal.INVALID),
        ({"user_id": "somebody"}, Refusal.MISMATCHED),
        ({"action": "signIn"}, Refusal.MISMATCHED),
        ({"action": None, "action_code": "signIn"}, Refusal.MISMATCHED),
        ({"action": None, "action_code": None}, Refusal.MISMATCHED),
        ({"idempotency_key": None}, Refusal.INVALID),
        ({"idempotency_key": OTHER_KEY}, Refusal.MISMATCHED),
        ({"error": "User is invalid."}, Refusal.MISMATCHED),
        ({"error": "Token is invalid."}, Refusal.INVALID),
        ({"state": "CHALLENGE_REQUIRED", "is_valid": False}, Refusal.UNFINISHED),
        ({"state": "ALLOW"}, Refusal.UNFINISHED),
        ({"state": "REVIEW_REQUIRED"}, Refusal.REVIEW),
        ({"state": "BLOCK"}, Refusal.BLOCKED),
        ({"state": None}, Refusal.BLOCKED),
        ({"state": "CHALLENGE_SUCCEEDED_2"}, Refusal.BLOCKED),
        ({"is_valid": False}, Refusal.BLOCKED),
    ],
    ids=str,
)
def test_everything_else_is_refused(changes: dict[str, Any], why: Refusal) -> None:
    """A mismatch, a missing echo, an unfinished challenge and a contradiction are each refused by name."""
    assert refused(**changes) is why


@pytest.mark.parametrize(
    ("updated_at", "why"),
    [
        ("2026-01-02T03:04:04.999Z", None),
        ("2026-01-02T02:59:05+00:00", None),
        ("2026-01-02T03:05:04Z", None),
        ("2026-01-02T03:04:00", None),
        ("2026-01-02T02:59:04Z", Refusal.TOO_OLD),
        ("2026-01-02T03:05:06Z", Refusal.TOO_OLD),
        ("2026-01-02T03:04:00+01:00", Refusal.TOO_OLD),
        ("yesterday", Refusal.TOO_OLD),
        ("", Refusal.TOO_OLD),
        (None, Refusal.TOO_OLD),
    ],
)
def test_a_passkey_may_have_a_key_of_its_own_for_five_minutes(updated_at: str | None, why: Refusal | None) -> None:
    """A passkey used without a name is taken while its proof is fresh; a time that cannot be read is not fresh."""
    passkey = {"verification_method": "PASSKEY", "idempotency_key": OTHER_KEY, "state_updated_at": updated_at}

    assert refused(**passkey) is why


@pytest.mark.parametrize("method", ["EMAIL_OTP", "EMAIL_MAGIC_LINK", "QR_CODE", "PUSH", "SECURITY_KEY", "passkey", None])
def test_no_other_method_may(method: str | None) -> None:
    """A key that is not this sign-in's is refused from every other method, however fresh."""
    assert refused(verification_method=method, idempotency_key=OTHER_KEY) is Refusal.MISMATCHED


@pytest.mark.parametrize("changes", [{"user_id": "somebody"}, {"action": "signIn"}, {"state": "CHALLENGE_REQUIRED"}], ids=str)
def test_a_passkey_is_held_to_everything_but_the_key(changes: dict[str, Any]) -> None:
    """User, action and state count for a passkey's own key as for any."""
    assert refused(verification_method="PASSKEY", idempotency_key=OTHER_KEY, **changes) is not None


def test_this_sign_in_s_own_key_needs_no_fresh_proof() -> None:
    """What was tracked for this sign-in may take as long as its token lives."""
    old = (NOW - timedelta(minutes=9)).isoformat()

    assert refused(state_updated_at=old) is None
    assert refused(state_updated_at=None, verification_method="PASSKEY") is None


@pytest.mark.parametrize(
    ("user", "knows"),
    [
        (UserDetails(is_enrolled=True, email="A@Example.test", email_verified=True), True),
        (UserDetails(is_enrolled=True, email=ADDRESS, email_verified=False), False),
        (UserDetails(is_enrolled=True, email="b@example.test", email_verified=True), False),
        (UserDetails(is_enrolled=True, email=None, email_verified=True), False),
    ],
    ids=str,
)
def test_a_verified_address_must_be_this_one(user: UserDetails, knows: bool) -> None:
    """W4: Authsignal's word counts for the very address of the account alone."""
    assert policy.knows_address(user, ADDRESS) is knows
    assert policy.knows_address(user, "") is False


@pytest.mark.parametrize(
    ("changes", "proves"),
    [
        ({}, True),
        ({"email": " A@example.test"}, True),
        ({"verification_method": "EMAIL_MAGIC_LINK"}, True),
        ({"verified_at": None}, False),
        ({"email": "b@example.test"}, False),
        ({"email": None}, False),
        ({"verification_method": "PASSKEY"}, False),
    ],
    ids=str,
)
def test_only_the_mailbox_itself_proves_an_address(changes: dict[str, Any], proves: bool) -> None:
    """W4: a proven mail factor of this very address, and no other factor, proves the address."""
    assert policy.proves_address([authenticator(**changes)], ADDRESS) is proves
    assert policy.proves_address([authenticator(email="")], "") is False


def test_recovery_codes_and_unproven_factors_are_no_way_to_sign_in() -> None:
    """What somebody can sign in with is counted without them."""
    passkey = authenticator(verification_method="PASSKEY", email=None)
    others = [authenticator(verification_method="RECOVERY_CODE"), authenticator(verified_at=None)]

    assert policy.usable([*others, passkey]) == [passkey]


def test_a_context_s_hash_is_of_all_of_it() -> None:
    """Person, action and every value count; the order of the names does not."""
    about = {"amount": "10", "currency": "EUR", "payee": "Ann"}
    known = policy.context_hash(sub=SUB, action="pay", context=about)

    # By sha256sum, of {"action":"pay","context":{"amount":"10","currency":"EUR","payee":"Ann"},"sub":"7f0c...a001"}.
    assert known == "309a96034bf6998bec9f230a1778daff1f276b66a574c925e44b089badeb85d0"
    assert policy.context_hash(sub=SUB, action="pay", context=dict(reversed(about.items()))) == known
    changed = [
        policy.context_hash(sub="other", action="pay", context=about),
        policy.context_hash(sub=SUB, action="other", context=about),
        *(policy.context_hash(sub=SUB, action="pay", context={**about, name: "x"}) for name in (*about, "more")),
    ]
    assert len({known, *changed}) == len(changed) + 1


@given(st.dictionaries(st.text(), st.text(), max_size=3), st.dictionaries(st.text(), st.text(), max_size=3))
def test_different_contexts_never_look_alike(one: dict[str, str], other: dict[str, str]) -> None:
    """No value can be written so that it passes for another name or value."""
    same = policy.context_hash(sub=SUB, action="a", context=one) == policy.context_hash(sub=SUB, action="a", context=other)

    assert same is (one == other)
