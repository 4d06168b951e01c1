"""An app refreshes while Cognito or the audit queue is away."""

import pytest

from tests.faults.meddler import ACCESS_DENIED, THROTTLED, Meddler, Meddling
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.native_app import signed_in
from tests.integration.gateway.person import Person

CLOSING = r"session.rotated\",\"outcome\":\"success"
NOTHING_DONE = {
    "Cognito throttles": (Meddling("GetTokensFromRefreshToken", answer=THROTTLED), "provider_busy"),
    "Cognito hangs up": (Meddling("GetTokensFromRefreshToken"), "provider_busy"),
    "the queue refuses": (Meddling("SendMessage", answer=ACCESS_DENIED), "audit_unavailable"),
}


@pytest.mark.parametrize("name", NOTHING_DONE)
async def test_a_refresh_that_came_to_nothing_costs_no_token(person: Person, meddler: Meddler, name: str) -> None:
    """After a 503 the very same token works: nobody is signed out because a provider was away for a moment."""
    app = await signed_in(person)
    fault, code = NOTHING_DONE[name]
    meddler.meddle(fault)

    failed = await app.refresh(key="one-intent")
    meddler.meddle()

    assert (failed.status, failed.code) == (503, code)
    assert (await app.refresh(key="one-intent")).status == 200


async def test_tokens_that_cannot_be_recorded_are_taken_back(person: Person, meddler: Meddler) -> None:
    """When only the closing event is refused no token is delivered, Cognito's are revoked, and the session is over."""
    app = await signed_in(person)
    # Named to the letter: what was refused in other tests is still offered again.
    meddler.meddle(Meddling("SendMessage", answer=ACCESS_DENIED, body_has=CLOSING, times=1))

    failed = await app.refresh()

    assert (failed.status, failed.code) == (503, "audit_unavailable")
    assert (meddler.count("GetTokensFromRefreshToken"), meddler.count("RevokeToken")) == (1, 1)
    assert (await app.call("GET", "/v1/session")).code == "session_expired"
    assert (await app.refresh()).code == "session_expired"


async def test_a_replay_ends_the_family_without_cognito(person: Person, meddler: Meddler, ledger: Ledger) -> None:
    """A family dies here when Cognito does not answer, and the log says that its tokens there were not revoked."""
    app = await signed_in(person)
    used = app.refresh_token
    app.keep((await app.refresh()).body)
    meddler.meddle(Meddling("RevokeToken"))

    replayed = await app.refresh(token=used)

    assert (replayed.status, replayed.code) == (401, "session_expired")
    assert (await app.call("GET", "/v1/session")).code == "session_expired"
    event = await ledger.promised(replayed.receipt)
    assert event.cognito is not None
    assert (event.event_type.value, event.outcome.value, event.cognito.error) == ("session.revoked", "error", "Unreachable")
