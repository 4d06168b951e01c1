"""Sign-in by every method that the deployment offers."""

import asyncio
import time
from typing import Any

import pytest

from tests.integration.gateway.factors import AWAITED, SIGNED, TYPED, Factor, Factors
from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Answer, Person
from tests.integration.gateway.simulator import Authsignal, Refused
from tests.integration.gateway.vault import Vault

DEVICES = ("PUSH", "QR_CODE")
# The longest wait, and what is far shorter, on a slow machine too.
LONGEST, SHORT_SECONDS_MAX = 20, 10.0


async def joined(person: Person, factors: Factors, method: str) -> tuple[Person, Factor]:
    """Sign somebody up with one more factor; return them at another browser."""
    await person.sign_up()
    return person.stranger(), await factors.add(person, method)


async def look(person: Person, attempt_id: str, wait: int = 0) -> Answer:
    """Read an attempt, waiting for a change for so many seconds."""
    return await person.call("GET", f"/v1/attempts/{attempt_id}", headers={"Prefer": f"wait={wait}"} if wait else {})


def without_ids(attempt: dict[str, Any]) -> dict[str, Any]:
    """Return what of an attempt does not differ between any two."""
    volatile = {"id", "sdk", "delivery", "qr", "expires_at", "resend_at"}
    return {name: value for name, value in attempt.items() if name not in volatile}


@pytest.mark.parametrize("method", TYPED)
async def test_a_typed_code_signs_in(person: Person, factors: Factors, ledger: Ledger, method: str) -> None:
    """A code from a phone or an app opens a session that names the method, and so does the log."""
    browser, factor = await joined(person, factors, method)
    attempt = await browser.begin("sign-ins", method=method)

    answer = await browser.verify(attempt["id"], await factors.code(factor))

    assert (attempt["method"], attempt["next"]) == (method, "code")
    assert (answer.status, answer.body["methods"]) == (200, [method])
    events = await ledger.of_attempt(attempt["id"], expect="sign_in.succeeded")
    assert events[-1].authsignal is not None
    assert events[-1].authsignal.method == method


@pytest.mark.parametrize("method", AWAITED)
async def test_an_answer_elsewhere_signs_in(person: Person, factors: Factors, ledger: Ledger, method: str) -> None:
    """
    The page's long wait ends when the link is opened or the phone approves; then, and not before, the attempt is completed
    without a token.
    """
    browser, factor = await joined(person, factors, method)
    attempt = await browser.begin("sign-ins", method=method)
    early = await browser.complete(attempt["id"])
    waiting = asyncio.create_task(look(browser, attempt["id"], wait=LONGEST))
    await asyncio.sleep(0.3)
    still_waits = not waiting.done()
    began = time.monotonic()
    await factors.answer_elsewhere(person, factor, attempt)

    seen = await waiting
    answer = await browser.complete(attempt["id"])

    assert (attempt["next"], still_waits, time.monotonic() - began < SHORT_SECONDS_MAX) == ("wait", True, True)
    assert (early.status, early.code) == (409, "conflict")
    assert (seen.body["status"], seen.body["next"]) == ("verified", "complete")
    assert (answer.status, answer.body["methods"]) == (200, [method])
    types = await ledger.types_of_attempt(attempt["id"], expect="sign_in.succeeded")
    assert types[-4:] == ["challenge.verified", "challenge.answered", "action.validated", "sign_in.succeeded"]


@pytest.mark.parametrize("method", DEVICES)
async def test_a_phone_that_says_no(person: Person, factors: Factors, ledger: Ledger, method: str) -> None:
    """When the phone declines, the wait ends with a failed attempt, no session follows, and the log says who said no."""
    browser, factor = await joined(person, factors, method)
    attempt = await browser.begin("sign-ins", method=method)
    await factors.answer_elsewhere(person, factor, attempt, approved=False)

    seen = await look(browser, attempt["id"], wait=LONGEST)
    answer = await browser.complete(attempt["id"])

    assert (seen.body["status"], seen.body["next"]) == ("failed", "done")
    assert (answer.status, answer.code) == (401, "attempt_failed")
    events = await ledger.of_attempt(attempt["id"], expect="attempt.refused")
    assert [event.reason for event in events if event.event_type.value == "sign_in.failed"] == ["DECLINED"]
    assert SESSION not in browser.cookies


async def test_a_code_that_is_shown_is_good_for_its_owners_phone(
    people: People, factors: Factors, authsignal: Authsignal
) -> None:
    """A stranger's phone that scans the QR code of somebody's sign-in opens no session in that browser."""
    owner, thief = people(), people()
    browser, _ = await joined(owner, factors, "QR_CODE")
    _, phone = await joined(thief, factors, "QR_CODE")
    attempt = await browser.begin("sign-ins", method="QR_CODE")

    with pytest.raises(Refused):
        await authsignal.scan(phone.phone_id, attempt["qr"]["content"], approved=True)

    assert (await look(browser, attempt["id"], wait=2)).body["status"] == "challenge_required"
    assert (await browser.complete(attempt["id"])).status == 409


@pytest.mark.parametrize("method", SIGNED)
async def test_a_signature_in_the_browser_signs_in(
    person: Person, factors: Factors, authsignal: Authsignal, method: str
) -> None:
    """A passkey or security key signs with the attempt's token, and the token that it earns completes the attempt."""
    browser, factor = await joined(person, factors, method)
    attempt = await browser.begin("sign-ins", method=method)
    token = await authsignal.earn_by_key(attempt["sdk"]["token"], factor.key, method)

    answer = await browser.complete(attempt["id"], token)

    assert (attempt["next"], attempt["delivery"], attempt["resend_at"]) == ("sdk", None, None)
    assert (answer.status, answer.body["methods"]) == (200, [method])


@pytest.mark.parametrize("method", [*TYPED, *AWAITED, *SIGNED])
async def test_a_method_can_be_switched_to(person: Person, factors: Factors, vault: Vault, method: str) -> None:
    """A sign-in that was begun by e-mail code goes on by another method of the person's, after the cool-down at most."""
    browser, factor = await joined(person, factors, method)
    attempt = await browser.begin("sign-ins")
    await vault.change_attempt(attempt["id"], resend_at=0.0)

    switched = await browser.call("POST", f"/v1/attempts/{attempt['id']}/challenges", {"method": method})

    assert (switched.status, switched.body["method"]) == (202, method)
    if method in TYPED:
        assert (await browser.verify(attempt["id"], await factors.code(factor))).status == 200


@pytest.mark.parametrize("method", AWAITED)
async def test_decoys_wait_alike(people: People, method: str) -> None:
    """Who lacks a method, and who has no account, waits as long, in the same words, as somebody who does not answer."""
    member, nobody = people(), people()
    await member.sign_up()

    async def wait(person: Person) -> Any:
        attempt = await person.begin("sign-ins", method=method)
        began = time.monotonic()
        answer = await look(person, attempt["id"], wait=1)
        assert 1.0 <= time.monotonic() - began < SHORT_SECONDS_MAX
        return [without_ids(one) for one in (attempt, answer.body)], sorted(answer.headers)

    seen = await asyncio.gather(wait(member.stranger()), wait(nobody))

    assert seen[0] == seen[1]


@pytest.mark.parametrize("method", TYPED)
async def test_who_lacks_a_method_gets_a_decoy(people: People, ledger: Ledger, method: str) -> None:
    """Asked for a method that the person lacks, nothing is sent, and every code is wrong as for an unknown address."""
    member, nobody = people(), people()
    await member.sign_up()
    mailed = len(await member.codes())
    seen = []
    for person in (member.stranger(), nobody):
        attempt = await person.begin("sign-ins", method=method)
        answers = [await person.verify(attempt["id"], "000000") for _ in range(5)]
        seen.append([without_ids(attempt), *({**answer.body, "request_id": ""} for answer in answers)])
        events = await ledger.of_attempt(attempt["id"], expect="sign_in.failed")
        assert "challenge.sent" not in {event.event_type.value for event in events}

    assert seen[0] == seen[1]
    assert len(await member.codes()) == mailed


@pytest.mark.parametrize("wish", ["wait=1", "respond-async, wait=1", "wait=1; foo"])
async def test_a_wait_is_bounded(person: Person, wish: str) -> None:
    """However the wish is spelled, the server holds an answer that long and no longer."""
    attempt = await person.begin("sign-ins", method="EMAIL_MAGIC_LINK")
    began = time.monotonic()

    await person.call("GET", f"/v1/attempts/{attempt['id']}", headers={"Prefer": wish})

    assert 1.0 <= time.monotonic() - began < SHORT_SECONDS_MAX


async def test_what_is_typed_is_not_waited_for(person: Person) -> None:
    """A wait on an attempt that waits for a code answers at once: nothing would change it but this very client."""
    attempt = await person.begin("sign-ins")
    began = time.monotonic()

    await look(person, attempt["id"], wait=LONGEST)

    assert time.monotonic() - began < SHORT_SECONDS_MAX


@pytest.mark.parametrize("method", [*AWAITED, *SIGNED])
async def test_what_has_no_code_takes_none(person: Person, method: str) -> None:
    """A code for a method that has none is the caller's mistake and costs no try."""
    attempt = await person.begin("sign-ins", method=method)

    answer = await person.verify(attempt["id"], "123456")

    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "code")
    assert (await look(person, attempt["id"])).body["attempts_left"] == 5


async def test_a_method_that_the_deployment_lacks(person: Person) -> None:
    """A method that is not offered here is refused for everybody alike."""
    answer = await person.call("POST", "/v1/sign-ins", {"identifier": person.email, "method": "IPROOV"})

    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "method")
