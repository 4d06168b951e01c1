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
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack

REQUESTS = 200
ADDRESSES = 25  # of each kind
AT_ONCE = 4
P_MIN = 0.003


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
    for person in members:
        await person.sign_up()
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


async def test_w12_known_and_unknown_look_and_take_the_same(known: list[Person], unknown: list[Person]) -> None:
    """
    Over 200 interleaved sign-ins a known and an unknown address get the same status, body, headers and token make, at times
    that a rank test cannot tell apart.
    """

    def begin(person: Person) -> Any:
        return person.call("POST", "/v1/sign-ins", {"identifier": person.email})

    await begin(known[0])  # A decoy's token is made like the last real one that was seen.
    # Of honest samples three in a thousand have such a p, and two in a row once in a hundred thousand runs.
    for _ in range(2):
        real, decoys = await _interleaved(known, unknown, begin)
        looks = {json.dumps(_look(answer)) for _, answer in (*real, *decoys)}
        assert len(looks) == 1
        p = _report("sign-ins", [seconds for seconds, _ in real], [seconds for seconds, _ in decoys])
        if p > P_MIN:
            return
    pytest.fail(f"the times differ: p = {p:.4f} twice")


async def test_w12_wrong_codes_look_the_same(people: People) -> None:
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
async def test_w12_a_method_tells_nothing(people: People, method: str) -> None:
    """Whatever method a sign-in asks for, the answers for known and unknown have one shape."""
    member = people()
    await member.sign_up()

    attempts = [await person.begin("sign-ins", method=method) for person in (member.stranger(), people())]

    assert _shape(attempts[0]) == _shape(attempts[1])
    assert attempts[0]["method"] == attempts[1]["method"]


async def test_w12_resends_look_the_same(people: People, vault: Vault) -> None:
    """A resend, too early or in time, is answered alike for known and unknown."""
    looks = []
    member = people()
    await member.sign_up()
    for person in (member.stranger(), people()):
        attempt = await person.begin("sign-ins")
        path = f"/v1/attempts/{attempt['id']}/challenges"
        await vault.change_attempt(attempt["id"], resend_at=time.time() + 60)
        early = await person.call("POST", path, {"method": "EMAIL_OTP"})
        await vault.change_attempt(attempt["id"], resend_at=0.0)
        late = await person.call("POST", path, {"method": "EMAIL_OTP"})
        looks.append((early.status, _shape(early.body), late.status, _shape(late.body), len(early.headers), len(late.headers)))

    assert looks[0] == looks[1]
    assert looks[0][0] == 429
    assert looks[0][2] == 202


async def test_w12_an_unknown_address_gets_no_mail(person: Person, ledger: Ledger) -> None:
    """A decoy sends nothing, never succeeds, and is told apart in the log alone."""
    attempt = await person.begin("sign-ins")

    assert await person.codes() == []
    assert (await person.verify(attempt["id"], "000000")).code == "invalid_code"
    events = await ledger.of_attempt(attempt["id"], expect="sign_in.failed")
    assert [event.event_type.value for event in events][:2] == ["sign_in.started", "sign_in.decoyed"]
    assert events[-1].reason == "unknown_identifier"


@pytest.mark.parametrize("kind", ["refuse", "drop"])
async def test_w12_an_outage_tells_nothing(
    people: People, authsignal: Authsignal, vault: Vault, ledger: Ledger, kind: str
) -> None:
    """
    While Authsignal does not answer, to begin, to send again and to answer fail alike for known and unknown: decoys ask for a
    sign of life, and are not charged either. Afterwards both go on.
    """
    member = people()
    await member.sign_up()
    looks = []
    for person in (member.stranger(), people()):
        attempt = await person.begin("sign-ins")
        path = f"/v1/attempts/{attempt['id']}"
        await vault.change_attempt(attempt["id"], resend_at=0.0)
        await authsignal.fault(kind=kind, times=1_000)
        failed = [
            await person.call("POST", "/v1/sign-ins", {"identifier": person.email}),
            await person.call("POST", f"{path}/challenges", {"method": "EMAIL_OTP"}),
            await person.verify(attempt["id"], "000000"),
        ]
        await authsignal.reset()
        after = await person.verify(attempt["id"], "000000")
        looks.append([(answer.status, {**answer.body, "request_id": ""}, len(answer.headers)) for answer in (*failed, after)])
        assert "provider.call_failed" in await ledger.types_of_attempt(attempt["id"], expect="provider.call_failed")

    assert looks[0] == looks[1]
    assert [status for status, _, _ in looks[0]] == [503, 503, 503, 401]
    assert looks[0][-1][1]["attempts_left"] == 4
