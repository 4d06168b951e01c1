"""Which state means what: default deny, and everything compared."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.challenge import policy
from services.challenge.authsignal.answers import Validated
from shared.challenge_api import Verdict

STATES = ["ALLOW", "BLOCK", "CHALLENGE_REQUIRED", "CHALLENGE_SUCCEEDED", "CHALLENGE_FAILED", "REVIEW_REQUIRED"]
STATES += ["REVIEW_SUCCEEDED", "REVIEW_FAILED"]
ANY_STATE = st.text(max_size=30) | st.sampled_from(STATES)

EXPECTED: dict[str, Any] = {"user_id": "u", "action": "a", "idempotency_key": "k"}


def validated(**changes: Any) -> Validated:
    """Return the answer for a good token of the expected user, action and key."""
    fields = {"is_valid": True, "state": "CHALLENGE_SUCCEEDED", **EXPECTED}
    return Validated(**{**fields, **changes})


@given(ANY_STATE)
def test_only_three_states_of_a_tracked_action_go_on(state: str) -> None:
    """Allow and challenge are challenged, review is reviewed; whatever else Authsignal may say blocks."""
    expected = {
        "ALLOW": Verdict.CHALLENGED,
        "CHALLENGE_REQUIRED": Verdict.CHALLENGED,
        "REVIEW_REQUIRED": Verdict.REVIEW,
    }.get(state, Verdict.BLOCKED)

    assert policy.after_track(state) is expected


@given(ANY_STATE | st.none())
def test_one_state_alone_verifies(state: str | None) -> None:
    """Nobody is verified but by CHALLENGE_SUCCEEDED, letter by letter."""
    assert (policy.after_proof(state) is Verdict.VERIFIED) is (state == "CHALLENGE_SUCCEEDED")


@given(st.text(max_size=30).filter(lambda text: text not in STATES))
def test_an_unknown_state_blocks(state: str) -> None:
    """A state that is not known, before or after a proof, blocks."""
    assert policy.after_track(state) is policy.after_proof(state) is Verdict.BLOCKED


def test_tracking_never_verifies() -> None:
    """No state of a tracked action is a proof, not even one that says so."""
    assert Verdict.VERIFIED not in {policy.after_track(state) for state in STATES}


@given(ANY_STATE)
def test_a_claim_may_be_made_again(state: str) -> None:
    """A proof that was claimed before may be claimed again; otherwise a claim is held to what tracking is held to."""
    expected = Verdict.CHALLENGED if state == "CHALLENGE_SUCCEEDED" else policy.after_track(state)

    assert policy.before_claim(state) is expected


def test_everything_equal_is_no_mismatch() -> None:
    """A token for this user, this action and this key is taken, under either name of the action's echo."""
    assert policy.mismatch(validated(), **EXPECTED) is None
    assert policy.mismatch(validated(action=None, action_code="a"), **EXPECTED) is None


@pytest.mark.parametrize("field", ["user_id", "action", "idempotency_key"])
@given(other=st.text(max_size=5))
def test_any_difference_is_a_mismatch(field: str, other: str) -> None:
    """One field that differs in one letter is enough."""
    found = policy.mismatch(validated(**{field: other}), **EXPECTED)

    assert (found is None) is (other == EXPECTED[field])


@pytest.mark.parametrize("field", ["user_id", "idempotency_key", "action"])
def test_a_missing_echo_is_no_match(field: str) -> None:
    """An answer that does not say whom, what or which key it validated matches nothing."""
    assert policy.mismatch(validated(**{field: None}), **EXPECTED) is not None


@given(st.text(max_size=30))
def test_an_error_is_never_a_match(error: str) -> None:
    """An answer with an error is refused even when everything else fits."""
    assert policy.mismatch(validated(error=error), **EXPECTED) is not None


@pytest.mark.parametrize("error", ["User is invalid.", "Action is invalid."])
def test_authsignals_own_comparisons_are_mismatches(error: str) -> None:
    """What Authsignal itself found to be another's is a mismatch; any other error is an invalid token."""
    assert policy.mismatch(Validated(is_valid=False, error=error), **EXPECTED) is policy.Mismatch.MISMATCHED
    assert policy.mismatch(Validated(is_valid=False, error="other"), **EXPECTED) is policy.Mismatch.INVALID
