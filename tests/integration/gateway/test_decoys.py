"""Nobody can tell from outside whether an address has an account."""

import asyncio
import base64
import json
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Answer, Person
from tests.integration.gateway.process import ServiceProcess, access_key_of, settings_of
from tests.integration.gateway.ranks import mann_whitney_p
from tests.stack import RunningStack

REQUESTS = 200
ADDRESSES = 25  # of each kind
AT_ONCE = 4
P_MIN = 0.01


@pytest.fixture(scope="module")
def veiled(stack: RunningStack, folder: Path) -> Iterator[ServiceProcess]:
    """A gateway as it is delivered, but for the limits."""
    changes = {"starts_per_ip_max": 100_000, "starts_per_identifier_max": 1_000}
    settings = {**settings_of(stack, "gateway"), **changes}
    process = ServiceProcess("gateway", settings, folder, access_key_of(stack, "gateway"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
async def known(stack: RunningStack, veiled: ServiceProcess, http: aiohttp.ClientSession, people: People) -> list[Person]:
    """People with an account, as clients of the veiled gateway."""
    members = [people() for _ in range(ADDRESSES)]
    for group in range(0, ADDRESSES, 5):
        await asyncio.gather(*(person.sign_up() for person in members[group : group + 5]))
    return [_at(veiled, person, http, stack) for person in members]


@pytest.fixture
def unknown(stack: RunningStack, veiled: ServiceProcess, http: aiohttp.ClientSession, people: People) -> list[Person]:
    """People without one."""
    return [_at(veiled, people(), http, stack) for _ in range(ADDRESSES)]


def _at(gateway: ServiceProcess, person: Person, http: aiohttp.ClientSession, stack: RunningStack) -> Person:
    other = Person(http, gateway.url, stack["mail"]["inbox_url"])
    other.email = person.email
    return other


async def _timed(call: Any) -> tuple[float, Answer]:
    began = time.perf_counter()
    answer = await call
    return time.perf_counter() - began, answer


async def _interleaved(known: list[Person], unknown: list[Person], call: Any) -> tuple[list[Any], list[Any]]:
    """Make each call for a known and an unknown person in random order, a few at once; return what came back of each."""
    results: dict[bool, list[tuple[float, Answer]]] = {True: [], False: []}
    turns = [(is_known, index) for index in range(REQUESTS // 2) for is_known in (True, False)]
    random.shuffle(turns)

    async def work() -> None:
        while turns:
            is_known, index = turns.pop()
            person = (known if is_known else unknown)[index % ADDRESSES]
            results[is_known].append(await _timed(call(person)))

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return results[True], results[False]


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return type(value).__name__


def _token_shape(token: str) -> Any:
    parts = token.split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2])
    return header, _shape(claims), claims["exp"] - claims["iat"], [len(part) for part in parts]


def _look(answer: Answer) -> Any:
    """Everything about an answer that does not carry an id, a time or an address."""
    values = {name: answer.body[name] for name in ("kind", "status", "methods", "method", "attempts_left")}
    names = [name for name, _ in answer.headers.items()]
    cookie = answer.headers["Set-Cookie"].split("=", 1)[1][43:]
    lengths = (answer.headers["Content-Length"], len(answer.headers["Audit-Receipt"]))
    return answer.status, _shape(answer.body), values, names, cookie, lengths, _token_shape(answer.body["sdk"]["token"])


def _report(title: str, known: list[float], unknown: list[float]) -> float:
    p = mann_whitney_p(known, unknown)
    medians = [f"{statistics.median(sample) * 1000:.2f} ms" for sample in (known, unknown)]
    print(f"\n{title}: {len(known)} + {len(unknown)} answers, medians {medians[0]} known, {medians[1]} unknown, p = {p:.3f}")
    return p


async def test_known_and_unknown_look_and_take_the_same(known: list[Person], unknown: list[Person]) -> None:
    """
    Over 200 interleaved sign-ins a known and an unknown address get the same status, body, headers and token make, at times
    that a rank test cannot tell apart.
    """

    def begin(person: Person) -> Any:
        return person.call("POST", "/v1/sign-ins", {"identifier": person.email})

    await begin(known[0])  # A decoy's token is made like the last real one that was seen.
    # One honest sample in a hundred has a p below 0.01, so it takes two of them to convict.
    for _ in range(2):
        real, decoys = await _interleaved(known, unknown, begin)
        looks = {json.dumps(_look(answer)) for _, answer in (*real, *decoys)}
        assert len(looks) == 1
        p = _report("sign-ins", [seconds for seconds, _ in real], [seconds for seconds, _ in decoys])
        if p > P_MIN:
            return
    pytest.fail(f"the times differ: p = {p:.4f} twice")


async def test_wrong_codes_look_the_same(people: People) -> None:
    """Up to the end of the attempt a wrong code is refused in the same words, headers and count for known and unknown."""
    looks = []
    member = people()
    await member.sign_up()
    for person in (member.stranger(), people()):
        attempt = await person.begin("sign-ins")
        answers = [await person.verify(attempt["id"], "000000") for _ in range(6)]
        looks.append(
            [
                (answer.status, {**answer.body, "request_id": ""}, [name for name, _ in answer.headers.items()])
                for answer in answers
            ]
        )

    assert looks[0] == looks[1]


@pytest.mark.parametrize("method", ["EMAIL_OTP", "SMS", "PASSKEY"])
async def test_a_method_tells_nothing(people: People, method: str) -> None:
    """Whatever method a sign-in asks for, the answers for known and unknown have one shape."""
    member = people()
    await member.sign_up()

    attempts = [await person.begin("sign-ins", method=method) for person in (member.stranger(), people())]

    assert _shape(attempts[0]) == _shape(attempts[1])
    assert attempts[0]["method"] == attempts[1]["method"]


async def test_resends_look_the_same(people: People) -> None:
    """A resend, too early or in time, is answered alike for known and unknown."""
    looks = []
    member = people()
    await member.sign_up()
    for person in (member.stranger(), people()):
        attempt = await person.begin("sign-ins")
        path = f"/v1/attempts/{attempt['id']}/challenges"
        early = await person.call("POST", path, {"method": "EMAIL_OTP"})
        await asyncio.sleep(1.05)
        late = await person.call("POST", path, {"method": "EMAIL_OTP"})
        looks.append((early.status, _shape(early.body), late.status, _shape(late.body), len(early.headers), len(late.headers)))

    assert looks[0] == looks[1]
    assert looks[0][0] == 429
    assert looks[0][2] == 202


async def test_limits_hold_for_both(people: People, ledger: Ledger) -> None:
    """The eleventh sign-in for an address is refused, known or not, and the first refusal is recorded."""
    member = people()
    await member.sign_up()
    # The code of the sign-up was the first for the known address; the other gets one beforehand too.
    stranger = people()
    await stranger.begin("sign-ups")
    looks = []
    for person in (member.stranger(), stranger):
        answers = [await person.call("POST", "/v1/sign-ins", {"identifier": person.email}) for _ in range(11)]
        looks.append([(answer.status, answer.code, answer.headers.get("Retry-After")) for answer in answers])
        refused = [answer for answer in answers if answer.status == 429]
        event = await ledger.promised(refused[0].receipt)
        assert (event.event_type.value, event.reason) == ("abuse.rate_limited", "starts_per_identifier")
        assert "Audit-Receipt" not in refused[-1].headers

    assert looks[0] == looks[1]
    assert [status for status, _, _ in looks[0]] == [202] * 9 + [429] * 2


async def test_guesses_over_many_attempts_are_limited_for_both(people: People) -> None:
    """Codes typed for one address are counted over its attempts, below the provider's limit, known or not."""
    member = people()
    await member.sign_up()  # One right code.
    looks = []
    for person, guesses in ((member.stranger(), 9), (people(), 10)):
        codes = []
        for _ in range(3):
            attempt = await person.begin("sign-ins")
            codes += [(await person.verify(attempt["id"], "000000")).code for _ in range(4)]
        assert codes[:guesses] == ["invalid_code"] * guesses
        looks.append(codes[10:])

    assert looks[0] == looks[1] == ["too_many_attempts"] * 2


async def test_a_client_address_has_a_limit(stack: RunningStack, http: aiohttp.ClientSession, folder: Path) -> None:
    """One client may begin so many attempts in all, for known addresses or not; another client is not touched by it."""
    settings = {**settings_of(stack, "gateway"), "starts_per_ip_max": 3, "trusted_proxies": ["127.0.0.1"]}
    settings |= {"veil_seconds": 0, "state_url": "memory://"}
    process = ServiceProcess("gateway", settings, folder, access_key_of(stack, "gateway"))
    process.start()
    try:
        statuses: dict[str, list[int]] = {}
        for client in ("203.0.113.7", "203.0.113.8"):
            person = Person(http, process.url, stack["mail"]["inbox_url"])
            headers = {"X-Forwarded-For": f"198.51.100.1, {client}"}
            statuses[client] = []
            for _ in range(5):
                begun = await person.stranger().call(
                    "POST", "/v1/sign-ins", {"identifier": Person(http, "", "").email}, headers=headers
                )
                statuses[client].append(begun.status)
    finally:
        process.stop()

    assert set(map(tuple, statuses.values())) == {(202, 202, 202, 429, 429)}


async def test_an_unknown_address_gets_no_mail(person: Person, ledger: Ledger) -> None:
    """A decoy sends nothing, never succeeds, and is told apart in the log alone."""
    attempt = await person.begin("sign-ins")

    assert await person.codes() == []
    assert (await person.verify(attempt["id"], "000000")).code == "invalid_code"
    events = await ledger.of_attempt(attempt["id"], expect="sign_in.failed")
    assert [event.event_type.value for event in events][:2] == ["sign_in.started", "sign_in.decoyed"]
    assert events[-1].reason == "unknown_identifier"
