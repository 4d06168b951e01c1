"""Reviews: the rules want a person to look, an operator decides, and whoever waits learns it."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from deploy.local.layout import Layout
from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.operator import Operator
from tests.integration.gateway.payer import ACTION, TEN, Payer
from tests.integration.gateway.person import SESSION, Answer, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack

WAIT = {"Prefer": "wait=20"}
LEARNED_SECONDS_MAX = 15.0


@pytest.fixture
def operator(http: aiohttp.ClientSession, stack: RunningStack) -> Operator:
    """Somebody who may decide."""
    return Operator(http, stack)


async def learned(person: Person, path: str, operator: Operator, decision: str) -> dict[str, Any]:
    """Let the operator decide while the person's page waits; return what the page learns, soon after."""
    waiting = asyncio.create_task(person.call("GET", path, headers=WAIT))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert (await operator.decide(path.rpartition("/")[2], decision)).status == 200
    began = time.monotonic()
    answer: dict[str, Any] = (await waiting).body
    assert time.monotonic() - began < LEARNED_SECONDS_MAX
    return answer


async def test_an_approved_step_up_has_its_grant(
    payer: Payer, authsignal: Authsignal, operator: Operator, ledger: Ledger
) -> None:
    """
    The operator sees person, action and details; once approved, the page that waits gets a grant that the shop spends once.
    The log has the operator's name, from before the decision was made.
    """
    await authsignal.decide(ACTION, "REVIEW")
    step_up = await payer.ask()
    listed = await operator.find(step_up["id"])

    approved = await learned(payer.person, f"/v1/step-ups/{step_up['id']}", operator, "approve")

    assert listed is not None
    assert (listed["sub"], listed["action"], listed["details"], listed["kind"]) == (payer.sub, ACTION, TEN, "step_up")
    assert payer.person.email not in str(listed)
    assert (approved["status"], approved["next"], approved["grant"] is not None) == ("allowed", "done", True)
    assert [(await payer.spend(step_up)).status for _ in range(2)] == [200, 409]
    events = await ledger.of_attempt(step_up["id"], expect="step_up.consumed")
    decided = [event for event in events if event.event_type.value == "step_up.review.approved"]
    assert [event.outcome.value for event in decided] == ["pending", "success"]
    assert {(event.actor.kind, event.actor.id) for event in decided if event.actor} == {("operator", "olivia")}
    # The page is told while the operator's own answer is still under way, so those two run side by side.
    told = [event.event_type.value for event in events if event.event_type.value.startswith("step_up") and event not in decided]
    assert told[:2] == ["step_up.requested", "step_up.under_review"]
    assert told[-3:] == ["step_up.allowed", "step_up.consumed", "step_up.consumed"]
    assert await operator.find(step_up["id"]) is None


async def test_a_rejected_step_up_is_blocked(payer: Payer, authsignal: Authsignal, operator: Operator, ledger: Ledger) -> None:
    """
    A rejection reaches the page, gives no grant, and cannot be taken back; the operator's note is in the log, and the person's
    own activity tells both the wait and its end, but not where the operator was.
    """
    await authsignal.decide(ACTION, "REVIEW")
    step_up = await payer.ask()
    before = await payer.spend(step_up)

    rejected = await operator.decide(step_up["id"], "reject", note="Asked by phone: not hers")
    again = await operator.decide(step_up["id"], "approve")
    read = (await payer.person.call("GET", f"/v1/step-ups/{step_up['id']}")).body

    assert (rejected.status, again.status) == (200, 404)
    assert (read["status"], read["grant"]) == ("blocked", None)
    assert [before.status, (await payer.spend(step_up)).status] == [409, 409]
    events = await ledger.of_attempt(step_up["id"], expect="step_up.blocked")
    closing = [event for event in events if event.event_type.value == "step_up.review.rejected"][-1]
    assert (closing.outcome.value, closing.data) == ("denied", {"note": "Asked by phone: not hers"})
    assert closing.authsignal is not None
    assert closing.authsignal.state == "REVIEW_FAILED"
    shown = {event["type"]: event["ip"] for event in (await payer.person.call("GET", "/v1/me/activity")).body["events"]}
    assert (shown["step_up.under_review"] is not None, shown["step_up.review.rejected"]) == (True, None)


async def test_authsignals_own_decision_counts(payer: Payer, authsignal: Authsignal, operator: Operator) -> None:
    """What is decided in Authsignal's portal reaches the page like a decision here, and cannot be decided again."""
    await authsignal.decide(ACTION, "REVIEW")
    step_up = await payer.ask()
    listed = await operator.find(step_up["id"])
    assert listed is not None
    path = f"users/{payer.sub}/actions/{ACTION}/{listed['idempotency_key']}"

    await authsignal.server("PATCH", path, {"state": "REVIEW_FAILED"})

    decided = await operator.decide(step_up["id"], "approve")
    assert (decided.status, decided.code) == (409, "conflict")
    assert (await payer.person.call("GET", f"/v1/step-ups/{step_up['id']}")).body["status"] == "blocked"


async def under_review(person: Person, authsignal: Authsignal) -> dict[str, Any]:
    """Sign in somewhere else, so that the rules want to look; return the attempt once the address is proven."""
    await authsignal.decide("signIn", "REVIEW")
    attempt = await person.begin("sign-ins")
    answer = await person.verify(attempt["id"], await person.code())
    assert (answer.status, answer.body["status"]) == (202, "review")
    assert SESSION not in person.cookies
    return attempt


async def proven_again(person: Person, attempt_id: str) -> Answer:
    """Answer with the code that was mailed last."""
    return await person.verify(attempt_id, await person.code())


async def test_an_approved_sign_in_still_needs_its_proof(
    person: Person, authsignal: Authsignal, operator: Operator, ledger: Ledger
) -> None:
    """
    An approval alone signs nobody in: the attempt waits for a proof again, another code is mailed, the old one does not work,
    and the new one opens one session.
    """
    await person.sign_up()
    visitor = person.stranger()
    attempt = await under_review(visitor, authsignal)
    path, used = f"/v1/attempts/{attempt['id']}", await visitor.code()

    approved = await learned(visitor, path, operator, "approve")

    assert (approved["status"], approved["next"]) == ("challenge_required", "code")
    assert SESSION not in visitor.cookies
    assert (await visitor.complete(attempt["id"])).status == 409
    assert await visitor.code() != used
    assert (await visitor.verify(attempt["id"], await visitor.wrong_code())).status == 401
    assert (await proven_again(visitor, attempt["id"])).status == 200
    assert SESSION in visitor.cookies
    assert (await proven_again(visitor.stranger(), attempt["id"])).status == 404
    assert (await proven_again(visitor, attempt["id"])).status == 409
    types = await ledger.types_of_attempt(attempt["id"], expect="sign_in.succeeded")
    told = [kind for kind in types if kind.startswith(("sign_in", "session"))]
    assert told[:4] == ["sign_in.started", "sign_in.challenged", "sign_in.under_review", "sign_in.review.approved"]
    assert told.count("sign_in.review.approved") == 2
    assert told.index("sign_in.succeeded") > 3


async def test_a_rejected_sign_in_is_over(person: Person, authsignal: Authsignal, operator: Operator) -> None:
    """A rejected sign-in takes no proof, and opens no session."""
    await person.sign_up()
    visitor = person.stranger()
    attempt = await under_review(visitor, authsignal)

    rejected = await learned(visitor, f"/v1/attempts/{attempt['id']}", operator, "reject")

    assert rejected["status"] == "blocked"
    assert (await proven_again(visitor, attempt["id"])).status == 401
    assert SESSION not in visitor.cookies


async def test_a_flag_alone_opens_nothing(person: Person, authsignal: Authsignal, operator: Operator, vault: Vault) -> None:
    """
    An attempt that says of itself that it was approved is not believed: Authsignal is asked again when the proof comes.
    """
    await person.sign_up()
    visitor = person.stranger()
    attempt = await under_review(visitor, authsignal)
    await operator.decide(attempt["id"], "approve")
    await visitor.call("GET", f"/v1/attempts/{attempt['id']}")
    stored = await vault.attempt(attempt["id"])
    assert stored.sub is not None
    path = f"users/{stored.sub}/actions/signIn/{stored.idempotency_key}"
    await authsignal.server("PATCH", path, {"state": "REVIEW_FAILED"})

    answer = await proven_again(visitor, attempt["id"])

    assert (answer.status, answer.code) == (403, "action_blocked")
    assert SESSION not in visitor.cookies


async def test_only_operators_decide(
    payer: Payer, people: People, authsignal: Authsignal, http: aiohttp.ClientSession, stack: RunningStack, operator: Operator
) -> None:
    """
    The gateway's token does not open reviews, the operators' opens nothing else, and what is no decision is refused.
    """
    await authsignal.decide(ACTION, "REVIEW")
    step_up = await payer.ask()
    gateways = (Layout(stack.state_dir).secrets / "challenge_token").read_text(encoding="utf-8").strip()

    for token in (gateways, "", "x" * 64):
        other = Operator(http, stack, token=token)
        assert (await other.call("GET", "/v1/reviews")).status == 401
        assert (await other.decide(step_up["id"], "approve")).status == 401
    assert (await operator.call("POST", "/v1/review-polls", {})).status == 401
    assert (await operator.call("POST", "/v1/authenticators/list", {"sub": payer.sub})).status == 401
    assert (await operator.decide(step_up["id"], "maybe")).status == 400
    assert (await operator.decide(step_up["id"], "approve", operator="olivia@example.test")).status == 400
    assert (await operator.decide("nobody", "approve")).status == 404
    assert (await operator.decide(payer.sub, "approve")).status == 404
    assert (await people().call("GET", f"/v1/step-ups/{step_up['id']}")).status == 401
    assert (await payer.person.call("GET", f"/v1/step-ups/{step_up['id']}")).body["status"] == "review"
