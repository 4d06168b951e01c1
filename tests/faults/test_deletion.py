"""A deletion that breaks half-way: said, recorded, and finished by whoever asks again."""

import pytest

from tests.faults.meddler import ACCESS_DENIED, BROKEN, Meddler, Meddling
from tests.integration.gateway.account import delete_account
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault

FAULTS = {
    "Cognito breaks": (Meddling("AdminDeleteUser", answer=BROKEN), (502, "provider_error")),
    "Cognito hangs up": (Meddling("AdminDeleteUser"), (503, "provider_busy")),
    "Cognito did it, and nobody heard": (Meddling("AdminDeleteUser", is_done=True, times=2), (503, "provider_busy")),
    "the queue refuses the end": (
        Meddling("SendMessage", answer=ACCESS_DENIED, body_has="AdminDeleteUser", skip=1),
        (503, "audit_unavailable"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_repeat_finishes_the_deletion(
    person: Person, meddler: Meddler, vault: Vault, ledger: Ledger, name: str
) -> None:
    """Whatever of AWS fails, the session that asked lives on, the others are over, and asking again finishes it."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    other = await person.elsewhere()
    fault, expected = FAULTS[name]
    meddler.meddle(fault)

    failed = await delete_account(person)
    meddler.meddle()

    assert (failed.status, failed.code) == expected
    assert (await other.call("GET", "/v1/session")).code == "session_expired"
    assert (await person.call("GET", "/v1/session")).status == 200
    done = await delete_account(person)
    assert (done.status, SESSION in person.cookies) == (204, False)
    assert await vault.sessions_of(sub) == []
    assert await ledger.told(done.receipt) == ("account.user.deleted", "success", None)


async def test_authsignal_failing_keeps_the_account(
    person: Person, meddler: Meddler, authsignal: Authsignal, ledger: Ledger
) -> None:
    """
    When Authsignal does not answer, Cognito is not asked: as long as anything of the person is left, so is the account.
    """
    await person.sign_up()
    await authsignal.fault(path_prefix="/v1/users", method="DELETE", times=3, kind="refuse")

    failed = await delete_account(person)

    assert (failed.status, failed.code) == (503, "provider_busy")
    assert meddler.count("AdminDeleteUser") == 0
    event = await ledger.promised(failed.receipt)
    assert (event.event_type.value, event.outcome.value) == ("account.user.deleted", "error")
    assert (await delete_account(person)).status == 204


async def test_another_sign_in_finishes_the_deletion(person: Person, meddler: Meddler, authsignal: Authsignal) -> None:
    """
    When the person is gone at Authsignal, the account at Cognito is not, and the session is lost too, then a sign-in by
    e-mail code still works, and asking again finishes it.
    """
    sub = (await person.sign_up()).body["subject"]["sub"]
    meddler.meddle(Meddling("AdminDeleteUser", answer=BROKEN))
    assert (await delete_account(person)).status == 502
    assert await authsignal.methods(sub) == []
    meddler.meddle()
    person.cookies.clear()

    assert (await person.sign_in()).body["subject"]["sub"] == sub

    assert (await delete_account(person)).status == 204
    assert await authsignal.methods(sub) == []
