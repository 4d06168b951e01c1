"""The way of a signed-in browser to the audit service: what streams through it ends when it should."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from services.audit.api.access import AUDITORS
from services.audit.api.tail import HEARTBEAT_SECONDS
from services.gateway.audit_proxy import LOOK_SECONDS, POLL
from services.gateway.cookies import digest
from services.gateway.sessions.refresh import REFRESH_AHEAD_SECONDS
from shared.http.pool import CONNECTIONS_MAX
from tests.integration.gateway.fixtures import People
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack

TAIL, SEARCH = "/audit/v1/events/tail", "/audit/v1/events?limit=1"
# Less than the tail's heartbeat, which would end it as well.
WAIT_SECONDS_MAX = HEARTBEAT_SECONDS - 1
# How long a machine may take that opens all these tails.
BUSY_SECONDS_MAX = 30
# A tail that opened later than this would have a new token from the start.
OPENED_SECONDS_MAX = 4.0
# More at once than the gateway keeps connections for from before.
PEOPLE = 16

Opens = Callable[[], Awaitable[aiohttp.ClientResponse]]


@pytest.fixture
async def auditor(person: Person, stack: RunningStack) -> Person:
    """Somebody of the security team, signed in."""
    await person.sign_up()
    pool = stack["aws"]["user_pool_id"]
    stack.aws("cognito-idp").admin_add_user_to_group(UserPoolId=pool, Username=person.email, GroupName=AUDITORS)
    await person.sign_in()
    return person


@pytest.fixture
async def tail(auditor: Person) -> AsyncIterator[Opens]:
    """Opens a tail of the auditor's. Each has a connection of its own, which closes with it."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def open_one() -> aiohttp.ClientResponse:
            deadline, headers = time.monotonic() + BUSY_SECONDS_MAX, {"Cookie": f"{SESSION}={auditor.cookies[SESSION]}"}
            # The first one waits for the pool's keys, which the emulator of a busy machine may be late with.
            while (answer := await http.get(auditor.url + TAIL, headers=headers)).status == 503:
                assert time.monotonic() < deadline, await answer.text()
                await asyncio.sleep(LOOK_SECONDS)
            assert answer.status == 200, await answer.text()
            assert await answer.content.readline() == b"retry: 2000\n"
            return answer

        yield open_one


async def ends(answer: aiohttp.ClientResponse) -> None:
    """Wait until an answer has come to its end, and require that it was not broken off."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while await answer.content.readany():
            pass


async def begins(person: Person) -> None:
    """Begin a sign-up. So many at once, with a tail for each event of theirs, may find a small machine busy: then try again."""
    deadline = time.monotonic() + BUSY_SECONDS_MAX
    while (answer := await person.call("POST", "/v1/sign-ups", {"email": person.email})).status != 202:
        assert (answer.status, answer.code) == (503, "provider_busy")
        assert time.monotonic() < deadline, "the tails left no room"
        await asyncio.sleep(LOOK_SECONDS)


async def test_closed_tails_leave_room(auditor: Person, people: People, tail: Opens) -> None:
    """
    As many tails as there is room for keep nobody from signing up, and once they are closed the next read is answered.
    """
    tails = [await tail() for _ in range(CONNECTIONS_MAX)]
    await asyncio.gather(*(begins(people()) for _ in range(PEOPLE)))
    for one in tails:
        one.close()

    async with asyncio.timeout(BUSY_SECONDS_MAX):
        answer = await auditor.call("GET", SEARCH)

    assert answer.status == 200


async def test_a_tail_ends_with_its_session(auditor: Person, tail: Opens) -> None:
    """Signing out ends the tails of the session: what happens from a second later on is not shown there any more."""
    opened = await tail()
    await auditor.call("DELETE", "/v1/session")
    # An event of before may have had it looked at just now.
    await asyncio.sleep(LOOK_SECONDS)
    await auditor.stranger().begin("sign-ins")

    await ends(opened)

    assert (await auditor.call("GET", SEARCH)).status == 401


async def test_a_tail_ends_with_its_access_token(auditor: Person, tail: Opens, vault: Vault) -> None:
    """
    The token says which groups somebody is in: a tail is over once a new one is due, and the next comes with a new token.
    """
    cookie = auditor.cookies[SESSION]
    await vault.change_session(cookie, access_expires_at=time.time() + REFRESH_AHEAD_SECONDS + OPENED_SECONDS_MAX)
    opened = await tail()
    before = await vault.session(cookie)
    await asyncio.sleep(OPENED_SECONDS_MAX)
    await auditor.stranger().begin("sign-ins")

    await ends(opened)

    await tail()
    after = await vault.session(cookie)
    assert before is not None
    assert after is not None
    assert before.access_token != after.access_token


@pytest.mark.parametrize(
    ("path", "headers", "is_use"),
    [(SEARCH, {}, True), (SEARCH, {POLL: "1"}, False), (TAIL, {}, False)],
    ids=["read", "poll", "tail"],
)
async def test_what_nobody_asked_for_by_hand_is_no_use(
    auditor: Person, vault: Vault, tail: Opens, path: str, headers: dict[str, str], is_use: bool
) -> None:
    """A console that is left open asks on by itself; that does not keep its session from idling out."""
    cookie = auditor.cookies[SESSION]
    seen_at = time.time() - 600
    # The token is due, too: that it is renewed must not prolong the session either.
    await vault.change_session(cookie, last_seen_at=seen_at, access_expires_at=0.0)

    if path == TAIL:
        await tail()
    else:
        assert (await auditor.call("GET", path, headers=headers)).status == 200

    session = await vault.session(cookie)
    assert session is not None
    assert session.access_expires_at > time.time()
    assert (session.last_seen_at > seen_at) is is_use
    assert (await vault.life_seconds(f"session:{digest(cookie)}") > 3_000) is is_use
