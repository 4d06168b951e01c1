"""Everything that can happen to an attempt before it ends: wrong, late, repeated and foreign answers."""

import asyncio
import time

import pytest

from tests.integration.gateway.fixtures import RESEND_SECONDS
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault


async def test_the_right_code_after_wrong_ones_works(person: Person) -> None:
    """Wrong codes cost tries and nothing else."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")

    for _ in range(4):
        await person.verify(attempt["id"], await person.wrong_code())

    assert (await person.verify(attempt["id"], await person.code())).status == 200


async def test_a_resend_waits_for_the_cool_down(person: Person, vault: Vault) -> None:
    """A resend before its time is refused with how long to wait; after it another code comes, and only that one works."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    path, older = f"/v1/attempts/{attempt['id']}/challenges", await person.code()
    begun = await vault.attempt(attempt["id"])

    await vault.change_attempt(attempt["id"], resend_at=time.time() + 60)
    early = await person.call("POST", path, {"method": "EMAIL_OTP"})
    await vault.change_attempt(attempt["id"], resend_at=0.0)
    resent = await person.call("POST", path, {"method": "EMAIL_OTP"})
    newer = await person.code()

    assert begun.resend_at - begun.created_at == RESEND_SECONDS
    assert (early.status, early.code, early.headers["Retry-After"]) == (
        429,
        "too_many_attempts",
        str(early.body["retry_after"]),
    )
    assert 0 < early.body["retry_after"] <= 60
    assert resent.status == 202
    assert len(await person.codes()) == 3
    if older != newer:  # Two codes in a row are the same once in a million.
        assert (await person.verify(attempt["id"], older)).code == "invalid_code"
    assert (await person.verify(attempt["id"], newer)).status == 200


async def test_a_method_that_is_not_offered_sends_nothing(person: Person) -> None:
    """Asking for another method than those offered is a mistake of the caller, and no message."""
    attempt = await person.begin("sign-ups")

    answer = await person.call("POST", f"/v1/attempts/{attempt['id']}/challenges", {"method": "SMS"})

    assert (answer.status, answer.code, answer.body["errors"][0]["field"]) == (400, "invalid_request", "method")
    assert len(await person.codes()) == 1


@pytest.mark.parametrize("kind", ["sign-ups", "sign-ins"])
async def test_an_expired_attempt_takes_no_code(person: Person, vault: Vault, ledger: Ledger, kind: str) -> None:
    """After its end an attempt answers 410, says so when it is read, and the try is recorded."""
    await person.sign_up()
    attempt = await person.begin(kind)
    await vault.expire_attempt(attempt["id"])

    answer = await person.verify(attempt["id"], await person.code())

    assert (answer.status, answer.code) == (410, "attempt_expired")
    assert (await person.call("GET", f"/v1/attempts/{attempt['id']}")).body["status"] == "expired"
    assert "challenge.expired" in await ledger.types_of_attempt(attempt["id"], expect="challenge.expired")


async def test_a_code_that_authsignal_let_expire(person: Person, authsignal: Authsignal, vault: Vault) -> None:
    """When only the code is too old, a new one can be asked for and works."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    older = await person.code()
    await authsignal.advance(601)

    answer = await person.verify(attempt["id"], older)
    await vault.change_attempt(attempt["id"], resend_at=0.0)
    resent = await person.call("POST", f"/v1/attempts/{attempt['id']}/challenges", {"method": "EMAIL_OTP"})

    assert (answer.status, answer.code) == (401, "invalid_code")
    assert resent.status == 202
    assert (await person.verify(attempt["id"], await person.code())).status == 200


async def test_a_code_works_once(person: Person, ledger: Ledger) -> None:
    """A completed attempt does not complete again, and the try is recorded."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    code = await person.code()
    await person.verify(attempt["id"], code)

    again = await person.verify(attempt["id"], code)

    assert (again.status, again.code, again.body["title"]) == (409, "conflict", "Already done")
    assert "attempt.refused" in await ledger.types_of_attempt(attempt["id"], expect="attempt.refused")


async def test_a_code_of_one_attempt_is_nothing_to_another(person: Person) -> None:
    """A code opens the attempt that it was sent for and no other of the same person."""
    await person.sign_up()
    first = await person.begin("sign-ins")
    code = await person.code()
    second = await person.begin("sign-ins")
    if code != await person.code():
        assert (await person.verify(second["id"], code)).code == "invalid_code"

    assert (await person.verify(first["id"], code)).status == 200


async def test_the_right_code_twice_at_once_opens_one_session(person: Person, vault: Vault) -> None:
    """Two browsers' tabs that send the same right code get one session between them."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    before = len(await vault.sessions_of(sub))
    attempt = await person.begin("sign-ins")
    code = await person.code()

    answers = await asyncio.gather(*(person.verify(attempt["id"], code) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert len(await vault.sessions_of(sub)) == before + 1


async def test_a_cancelled_attempt_is_over(person: Person, ledger: Ledger) -> None:
    """Giving up ends an attempt for good, twice is no fault, and it is recorded once."""
    attempt = await person.begin("sign-ups")
    path = f"/v1/attempts/{attempt['id']}"

    first, second = await person.call("DELETE", path), await person.call("DELETE", path)

    assert (first.status, second.status) == (204, 204)
    assert (await person.verify(attempt["id"], await person.code())).code == "attempt_failed"
    types = await ledger.types_of_attempt(attempt["id"], expect="attempt.refused")
    assert types.count("attempt.cancelled") == 1


@pytest.mark.parametrize(
    ("outcome", "status", "event"), [("BLOCK", 403, "sign_in.blocked"), ("REVIEW", 202, "sign_in.under_review")]
)
async def test_rules_speak_only_to_who_proves_the_address(
    person: Person, authsignal: Authsignal, ledger: Ledger, outcome: str, status: int, event: str
) -> None:
    """A person whom the rules stop gets a code like anybody, no session for it, and is told only after the proof."""
    await person.sign_up()
    del person.cookies[SESSION]
    await authsignal.decide("signIn", outcome)
    attempt = await person.begin("sign-ins")

    wrong = await person.verify(attempt["id"], await person.wrong_code())
    right = await person.verify(attempt["id"], await person.code())

    assert attempt["status"] == "challenge_required"
    assert wrong.code == "invalid_code"
    assert right.status == status
    assert SESSION not in person.cookies
    assert event in await ledger.types_of_attempt(attempt["id"], expect=event)


@pytest.mark.parametrize(
    ("outcome", "status", "event"), [("BLOCK", 403, "sign_in.blocked"), ("REVIEW", 202, "sign_in.under_review")]
)
async def test_a_sign_up_that_the_rules_stop_gets_no_session(
    person: Person, authsignal: Authsignal, ledger: Ledger, outcome: str, status: int, event: str
) -> None:
    """When the rules stop a sign-up, the proven address opens no session; the account that was made for it is in the log."""
    await authsignal.decide("signUp", outcome)
    attempt = await person.begin("sign-ups")

    answer = await person.verify(attempt["id"], await person.code())

    assert answer.status == status
    assert SESSION not in person.cookies
    types = await ledger.types_of_attempt(attempt["id"], expect=event)
    assert types[-3:] == ["sign_up.verified", "account.user.created", event]
