"""One's own ways to sign in: listed, added, named, removed; who may, and who is told."""

import asyncio
import uuid
from typing import Any

import aiohttp
import pytest

from tests.integration.gateway.account import PATH, age, extra, listed, notice
from tests.integration.gateway.factors import AWAITED, SIGNED, TYPED, Factors
from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Answer, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack


async def test_the_first_one_is_the_address(person: Person) -> None:
    """After a sign-up there is the e-mail code alone: the default, its address masked, and changes are possible for now."""
    await person.sign_up()

    answer = await person.call("GET", PATH)

    (only,) = answer.body["authenticators"]
    assert (only["method"], only["is_default"], only["detail"]) == ("EMAIL_OTP", True, f"{person.email[0]}***@example.test")
    assert answer.body["fresh_until"] is not None


@pytest.mark.parametrize("method", [*TYPED, *AWAITED, *SIGNED])
async def test_an_added_one_is_listed_recorded_and_told(
    person: Person, factors: Factors, ledger: Ledger, http: aiohttp.ClientSession, stack: RunningStack, method: str
) -> None:
    """Whatever is added shows in the list, is in the log, and its owner hears of it by mail."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    before = {one["id"] for one in await listed(person)}

    await factors.add(person, method)

    (added,) = [one for one in await listed(person) if one["id"] not in before]
    assert (added["method"], added["is_default"]) == (method, False)
    assert person.email not in str(added)
    assert "If it was not" in await notice(http, stack, person, "Added to your account")
    types = await ledger.types_of_subject(sub, expect="authenticator.added")
    assert [kind for kind in types if kind.startswith("authenticator")] == [
        "authenticator.enrolment.started",
        "authenticator.enrolment.started",
        "authenticator.added",
    ]


async def test_nothing_added_is_nothing_to_complete(person: Person) -> None:
    """An enrolment that the browser has not finished is a conflict, and can be completed later."""
    await person.sign_up()
    begun = (await person.call("POST", PATH, {"type": "PASSKEY"})).body

    answer = await person.call("POST", f"/v1/me/enrolments/{begun['id']}/completions", {})

    assert (answer.status, answer.code, answer.body["title"]) == (409, "conflict", "Not confirmed yet")


async def test_an_enrolment_is_completed_once(person: Person, factors: Factors) -> None:
    """What was added is noted once."""
    await person.sign_up()
    begun = (await person.call("POST", PATH, {"type": "PASSKEY"})).body
    await factors.enrol(person, "PASSKEY", begun["sdk"]["token"])

    first, second = [await factors.complete(person, begun["id"]) for _ in range(2)]

    assert (first.status, second.status, second.code) == (200, 404, "not_found")


async def test_another_persons_enrolment_is_not_there(people: People, factors: Factors) -> None:
    """Nobody completes an enrolment that somebody else began."""
    owner, other = people(), people()
    await owner.sign_up()
    await other.sign_up()
    begun = (await owner.call("POST", PATH, {"type": "PASSKEY"})).body
    await factors.enrol(owner, "PASSKEY", begun["sdk"]["token"])

    answer = await factors.complete(other, begun["id"])

    assert (answer.status, answer.code) == (404, "not_found")
    assert (await factors.complete(owner, begun["id"])).status == 200


async def test_another_persons_authenticator_is_not_there(people: People, authsignal: Authsignal) -> None:
    """Nobody names or removes what belongs to somebody else."""
    owner, other = people(), people()
    await other.sign_up()
    path = f"{PATH}/{await extra(owner, authsignal)}"

    answers = [await other.call("PATCH", path, {"name": "Mine"}), await other.call("DELETE", path)]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 2
    assert len(await listed(owner)) == 2


async def test_a_name_of_ones_own(person: Person, authsignal: Authsignal) -> None:
    """A given name shows in the list, and replaces the one before."""
    path = f"{PATH}/{await extra(person, authsignal)}"

    for name in ("Work", "Work phone ☎"):
        answer = await person.call("PATCH", path, {"name": name})
        assert (answer.status, name in [one["name"] for one in answer.body["authenticators"]]) == (200, True)

    assert [one["name"] for one in await listed(person)].count("Work") == 0


@pytest.mark.parametrize("name", ["", "x" * 61, "a\nb", 7, None])
async def test_a_name_is_short_text(person: Person, name: Any) -> None:
    """A name is 1 to 60 characters without control characters."""
    await person.sign_up()
    own = (await listed(person))[0]["id"]

    answer = await person.call("PATCH", f"{PATH}/{own}", {"name": name})

    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_a_removed_one_is_gone_and_told(
    person: Person, authsignal: Authsignal, ledger: Ledger, http: aiohttp.ClientSession, stack: RunningStack
) -> None:
    """A removed factor is off the list, its owner hears of it by mail, and removing it again finds nothing."""
    path = f"{PATH}/{await extra(person, authsignal)}"

    answer, again = await person.call("DELETE", path), await person.call("DELETE", path)

    assert [one["method"] for one in answer.body["authenticators"]] == ["EMAIL_OTP"]
    assert (again.status, again.code) == (404, "not_found")
    assert "was removed" in await notice(http, stack, person, "Removed from your account")
    assert (await ledger.promised(answer.receipt)).event_type.value == "authenticator.removed"


async def test_the_last_one_stays(person: Person, ledger: Ledger) -> None:
    """The only way to sign in cannot be removed, and the try is recorded."""
    await person.sign_up()
    (only,) = await listed(person)

    answer = await person.call("DELETE", f"{PATH}/{only['id']}")

    assert (answer.status, answer.code) == (409, "last_authenticator")
    event = await ledger.promised(answer.receipt)
    assert (event.outcome.value, event.reason) == ("denied", "last_authenticator")
    assert len(await listed(person)) == 1


async def test_two_removals_at_once_leave_one(person: Person, authsignal: Authsignal) -> None:
    """Removing both of two factors at the same moment removes one at most."""
    await extra(person, authsignal)

    answers = await asyncio.gather(*(person.call("DELETE", f"{PATH}/{one['id']}") for one in await listed(person)))

    assert {answer.status for answer in answers} <= {200, 409}
    assert len(await listed(person)) >= 1


async def test_a_step_up_makes_it_fresh_again(person: Person, authsignal: Authsignal, vault: Vault) -> None:
    """After confirming with a factor the same change goes through."""
    path = f"{PATH}/{await extra(person, authsignal)}"
    await age(person, vault)

    step_up = await begin_step_up(person)
    proven = await person.call("POST", f"/v1/step-ups/{step_up['id']}/verifications", {"code": await person.code()})

    assert (proven.status, proven.body["status"]) == (200, "verified")
    assert (await person.call("DELETE", path)).status == 200


async def test_a_wrong_code_makes_nothing_fresh(person: Person, authsignal: Authsignal, vault: Vault) -> None:
    """A step-up that was only begun, or answered wrongly, changes nothing about what is possible."""
    path = f"{PATH}/{await extra(person, authsignal)}"
    await age(person, vault)
    step_up = await begin_step_up(person)

    await person.call("POST", f"/v1/step-ups/{step_up['id']}/verifications", {"code": await person.wrong_code()})

    assert (await person.call("DELETE", path)).code == "step_up_required"


async def begin_step_up(person: Person) -> dict[str, Any]:
    """Ask to be let through to changes of authenticators."""
    answer: Answer = await person.call("POST", "/v1/step-ups", {"action": "manageAuthenticators"})
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


async def test_rules_may_stop_an_enrolment(person: Person, authsignal: Authsignal, ledger: Ledger) -> None:
    """When the rules block the action, no token to add a factor with is given out."""
    await person.sign_up()
    await authsignal.decide("manageAuthenticators", "BLOCK")

    answer = await person.call("POST", PATH, {"type": "PASSKEY"})

    assert (answer.status, answer.code) == (403, "action_blocked")
    assert (await ledger.promised(answer.receipt)).outcome.value == "denied"


async def test_an_unknown_type_is_a_mistake(person: Person) -> None:
    """What is no method cannot be added."""
    await person.sign_up()

    answer = await person.call("POST", PATH, {"type": "CRYSTAL_BALL"})

    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "type")


@pytest.mark.parametrize("authenticator_id", ["%2e%2e", "a%2Fb", "..%2F..%2Fusers", "x" * 65, "%00"])
async def test_ids_reach_no_path(person: Person, authenticator_id: str) -> None:
    """An id that is not of an id's make reaches no provider."""
    await person.sign_up()

    answer = await person.call("DELETE", f"{PATH}/{authenticator_id}")

    assert answer.status in {400, 404, 405}


async def test_an_enrolment_that_never_was(person: Person) -> None:
    """Completing an enrolment that nobody began finds nothing."""
    await person.sign_up()

    answer = await person.call("POST", f"/v1/me/enrolments/{uuid.uuid4()}/completions", {})

    assert (answer.status, answer.code) == (404, "not_found")


async def test_a_provider_that_fails_is_recorded(person: Person, authsignal: Authsignal, ledger: Ledger) -> None:
    """When Authsignal does not remove what it was asked to, that is said and recorded, and the factor stays."""
    path = f"{PATH}/{await extra(person, authsignal)}"
    await authsignal.fault(kind="refuse", path_prefix="/v1/users", method="DELETE", times=1)

    answer = await person.call("DELETE", path)

    assert (answer.status, answer.code) == (503, "provider_busy")
    event = await ledger.promised(answer.receipt)
    assert (event.event_type.value, event.outcome.value) == ("authenticator.removed", "error")
    assert len(await listed(person)) == 2
