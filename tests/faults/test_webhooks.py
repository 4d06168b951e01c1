"""The audit queue refuses while Authsignal tells something, or while an operator decides."""

import uuid

import aiohttp

from tests.faults.meddler import ACCESS_DENIED, Meddler, Meddling
from tests.faults.test_audit_queue import denied, refused
from tests.integration.gateway.business import Business
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.operator import Operator
from tests.integration.gateway.payer import ACTION, Payer
from tests.integration.gateway.person import Person
from tests.integration.gateway.sender import Sender
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack


async def test_what_could_not_be_recorded_was_not_taken_in(
    person: Person, stack: RunningStack, meddler: Meddler, ledger: Ledger
) -> None:
    """
    A delivery that the queue refused is answered 503, so that Authsignal repeats it; the same bytes are then taken in, and
    only from there on are they a replay.
    """
    sender = Sender(person, stack)
    envelope = sender.envelope("authenticator.created", {"userId": str(uuid.uuid4())})
    meddler.meddle(Meddling("SendMessage", answer=ACCESS_DENIED))
    first = await sender.send(envelope)
    meddler.meddle()

    again, replay = await sender.send(envelope), await sender.send(envelope)

    assert refused(first)
    assert (again.status, replay.status, "Audit-Receipt" in replay.headers) == (204, 204, False)
    assert await ledger.told(again.receipt) == ("webhook.received", "success", None)


async def test_a_decision_that_cannot_be_recorded_is_not_made(
    person: Person, stack: RunningStack, authsignal: Authsignal, http: aiohttp.ClientSession
) -> None:
    """
    While the challenge service is denied the queue no review is decided, at Authsignal neither; afterwards the same one is.
    """
    payer = await Payer(person, Business(person, stack)).join()
    await authsignal.decide(ACTION, "REVIEW")
    step_up, operator = await payer.ask(), Operator(http, stack)
    with denied(stack, "challenge"):
        answer = await operator.decide(step_up["id"], "approve")
    before = (await person.call("GET", f"/v1/step-ups/{step_up['id']}")).body["status"]

    decided = await operator.decide(step_up["id"], "approve")

    assert refused(answer)
    assert (before, decided.status) == ("review", 200)
    assert (await person.call("GET", f"/v1/step-ups/{step_up['id']}")).body["status"] == "allowed"
