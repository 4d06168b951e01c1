"""W06: one proof, spent on many sessions."""

import asyncio

from tests.integration.gateway.holder import Holder, present, refused
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault


async def test_w06_a_token_of_another_attempt_is_refused(person: Person, authsignal: Authsignal, ledger: Ledger) -> None:
    """A token earned for one attempt does not complete another of the same person."""
    await person.sign_up()
    first, second = await person.begin("sign-ins"), await person.begin("sign-ins")
    token = await authsignal.earn(first["sdk"]["token"], person.email)

    wrong = await person.complete(second["id"], token)
    right = await person.complete(first["id"], token)

    assert (wrong.status, wrong.code) == (401, "attempt_failed")
    assert right.status == 200
    assert "action.mismatched" in await ledger.types_of_attempt(second["id"], expect="action.mismatched")


async def test_w06_a_token_is_spent_once(person: Person, authsignal: Authsignal) -> None:
    """A completed attempt takes its token no second time."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    await person.complete(attempt["id"], token)

    answer = await person.complete(attempt["id"], token)

    assert (answer.status, answer.code) == (409, "conflict")


async def test_w06_a_token_twice_at_once_opens_one_session(person: Person, authsignal: Authsignal) -> None:
    """The same token sent many times at once opens one session."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)

    answers = await asyncio.gather(*(person.complete(attempt["id"], token) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [200] + [409] * 7


async def test_w06_a_passkeys_token_works_once(holder: Holder, ledger: Ledger, vault: Vault) -> None:
    """The same token again, or many times at once, opens no second session, and the log says that it was replayed."""
    token = await holder.earn()
    before = len(await vault.sessions_of(holder.sub))

    answers = await asyncio.gather(*(present(holder.person.stranger(), token) for _ in range(6)))
    late = holder.person.stranger()
    again = await present(late, token)

    assert sorted(answer.status for answer in answers) == [200] + [401] * 5
    assert refused(again, late)
    assert len(await vault.sessions_of(holder.sub)) == before + 1
    event = await ledger.promised(again.receipt)
    assert event.reason == "TOKEN_REPLAYED"
