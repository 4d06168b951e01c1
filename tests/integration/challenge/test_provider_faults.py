"""Authsignal slow, down, or talking rubbish: what is retried, what is not, and what the gateway is told."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from tests.integration.challenge.conftest import Office
from tests.integration.challenge.desk import Desk, Story
from tests.integration.gateway.process import ServiceProcess

OPEN_SECONDS = 3.0  # of a circuit
BUDGET_SECONDS = 3.5  # for all tries of a call, as the service has it; each try has 2 s of it
# Which faults there are, as the simulator takes them.
FAULTS: dict[str, dict[str, object]] = {
    "slow": {"kind": "delay", "delay_ms": 6_000},
    "refused": {"kind": "refuse"},
    "dropped": {"kind": "drop"},
    "500": {"kind": "respond", "status": 500, "body": "oops", "content_type": "text/plain"},
    "crashed": {"kind": "crash"},
}
RUBBISH: dict[str, dict[str, object]] = {
    "HTML": {"body": "<html>Bad gateway</html>", "content_type": "text/html"},
    "half of JSON": {"body": '{"state": "CHALL'},
    "nothing": {"body": ""},
    "an array": {"body": "[]"},
    "null": {"body": "null"},
    "wrong types": {"body": '{"state": 7, "idempotencyKey": {}, "token": null, "isEnrolled": "yes"}'},
    "missing keys": {"body": "{}"},
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_of_track_is_repeated_until_it_works(desk: Desk, name: str) -> None:
    """Track carries our idempotency key: after one fault it is sent again and the person notices nothing."""
    story = await desk.enrolled()
    desk.simulator.fault(path_prefix="/v1/users", method="POST", times=1, **FAULTS[name])

    answer = await desk.challenge(story)

    assert answer.body["verdict"] == "challenged"
    # A call that was given up on is noted when the simulator is done with it.
    noted = 1 if name == "slow" else 2
    assert len(desk.simulator.calls("POST", f"/v1/users/{story.sub}/actions/signIn")) == noted


@pytest.mark.parametrize("name", FAULTS)
async def test_a_lasting_fault_of_track_is_busy(desk: Desk, name: str) -> None:
    """When the faults go on, the retries end at their bound, within the budget, as 503 with a Retry-After."""
    story = await desk.enrolled()
    desk.simulator.fault(path_prefix="/v1/users", method="POST", times=50, **FAULTS[name])
    began = time.monotonic()

    answer = await desk.challenge(story)

    assert (answer.status, answer.code, answer.retry_after) == (503, "provider_busy", "2")
    assert time.monotonic() - began < BUDGET_SECONDS + 10
    desk.simulator.control("DELETE", "/faults")
    assert (await desk.challenge(story)).status == 200
    event = (await desk.events(story, expect="provider.call_failed"))[0]
    assert event.outcome.value == "error"
    assert event.reason is not None
    assert event.reason.startswith("track: ")


async def test_retries_are_bounded(desk: Desk) -> None:
    """A safe call is made three times at most."""
    story = await desk.enrolled()
    desk.simulator.fault(path_prefix="/v1/users", method="POST", times=50, kind="refuse")

    await desk.challenge(story)

    assert len(desk.simulator.calls("POST", f"/v1/users/{story.sub}/actions/signIn")) == 3


@pytest.mark.parametrize("name", FAULTS)
async def test_a_challenge_is_never_repeated(desk: Desk, name: str) -> None:
    """A call that sends mail is made once: the person may ask again, we may not."""
    story = Story(action="signUp", sub=None)
    desk.simulator.fault(path_prefix="/v1/challenge", times=1, **FAULTS[name])

    answer = await desk.challenge(story)

    assert (answer.status, answer.code) == (503, "provider_busy")
    await asyncio.sleep(0.2)
    assert len(desk.simulator.calls("POST", "/v1/challenge")) <= 1  # A slow call is noted when it ends.


@pytest.mark.parametrize("name", ["slow", "refused", "dropped", "500"])
async def test_a_verify_is_never_repeated(desk: Desk, name: str) -> None:
    """A call that may count a wrong code is made once, and the same code works when it is sent again."""
    story = Story(action="signUp", sub=None)
    asked = await desk.challenge(story)
    code = desk.simulator.code(story.email)
    fault = {"kind": "refuse", "delay_ms": 4_000} if name == "slow" else FAULTS[name]
    desk.simulator.fault(path_prefix="/v1/verify", times=1, **fault)

    failed = await desk.verify(story, asked.body["challenge_id"], code)
    again = await desk.verify(story, asked.body["challenge_id"], code)

    assert (failed.status, failed.code) == (503, "provider_busy")
    assert again.body["verdict"] == "verified"


async def test_a_claim_is_never_repeated(desk: Desk) -> None:
    """A claim whose answer got lost is reported, not sent twice."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)
    before = len(desk.simulator.calls("POST", "/v1/claim"))
    desk.simulator.fault(path_prefix="/v1/claim", times=1, kind="drop_answer")

    answer = await desk.verify(story, asked.body["challenge_id"], desk.simulator.code(story.email))

    assert (answer.status, answer.code) == (503, "provider_busy")
    assert len(desk.simulator.calls("POST", "/v1/claim")) == before + 1


async def test_a_lost_answer_to_validate_is_asked_for_again(desk: Desk) -> None:
    """Validate changes nothing, so a lost answer costs nothing."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)
    token = desk.earn(asked.body["track_token"], story.email)
    desk.simulator.fault(path_prefix="/v1/validate", times=2, kind="drop_answer")

    assert (await desk.complete(story, token)).body["verdict"] == "verified"


@pytest.mark.parametrize("name", RUBBISH)
@pytest.mark.parametrize("path", ["/v1/users", "/v1/challenge"])
async def test_rubbish_is_a_provider_error(desk: Desk, name: str, path: str) -> None:
    """An answer that cannot be read is 502, is not asked for again, and nobody is let in by it."""
    story = await desk.enrolled()
    before = len(desk.simulator.calls("POST", path))
    desk.simulator.fault(path_prefix=path, method="POST", times=1, kind="respond", status=200, **RUBBISH[name])

    answer = await desk.challenge(story)

    assert (answer.status, answer.code) == (502, "provider_error")
    assert len(desk.simulator.calls("POST", path)) == before + 1
    assert (await desk.challenge(story)).status == 200


@pytest.mark.parametrize("body", ["{}", '{"isValid": true}', '{"isValid": true, "state": "CHALLENGE_SUCCEEDED"}', "[]"])
async def test_half_an_answer_validates_nobody(desk: Desk, body: str) -> None:
    """A validation that does not say whom, what and which key it validated earns no assertion."""
    story = await desk.enrolled()
    asked = await desk.challenge(story)
    token = desk.earn(asked.body["track_token"], story.email)
    desk.simulator.fault(path_prefix="/v1/validate", times=1, kind="respond", status=200, body=body)

    answer = await desk.complete(story, token)

    assert answer.body.get("assertion") is None
    assert answer.status == 502 or answer.body["failure"] == "TOKEN_INVALID"


async def test_a_charset_is_no_fault(desk: Desk) -> None:
    """`application/json; charset=utf-8` is JSON."""
    story = Story(action="signUp", sub=None)
    body = '{"challengeId": "c-1", "idempotencyKey": "k", "expiresAt": 1900000000}'
    desk.simulator.fault(
        path_prefix="/v1/challenge",
        times=1,
        kind="respond",
        status=200,
        body=body,
        content_type="application/json; charset=utf-8",
    )

    assert (await desk.challenge(story)).body["challenge_id"] == "c-1"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, '{"error": "too_many_requests", "errorCode": "too_many_requests"}', (429, "too_many_attempts")),
        (429, "slow down", (503, "provider_busy")),
        (400, '{"errorCode": "invalid_request"}', (502, "provider_error")),
        (401, '{"errorCode": "unauthorized"}', (502, "provider_error")),
        (403, "<html>", (502, "provider_error")),
        (404, "", (502, "provider_error")),
        (302, "", (502, "provider_error")),
    ],
)
async def test_refusals_are_told_apart(desk: Desk, status: int, body: str, expected: tuple[int, str]) -> None:
    """A limit on the person, a limit on us, and a mistake of ours are different answers; none of them is repeated."""
    story = Story(action="signUp", sub=None)
    desk.simulator.fault(path_prefix="/v1/challenge", times=1, kind="respond", status=status, body=body)

    answer = await desk.challenge(story)

    assert (answer.status, answer.code) == expected
    assert len(desk.simulator.calls("POST", "/v1/challenge")) == 1


@pytest.fixture
def brittle(office: Office) -> Iterator[ServiceProcess]:
    """A service whose circuit opens after three failures, for three seconds."""
    process = office.start(breaker_failures_max=3, breaker_open_seconds=OPEN_SECONDS)
    yield process
    process.stop()


async def test_the_circuit_opens_and_closes(desks: Callable[[ServiceProcess], Desk], brittle: ServiceProcess) -> None:
    """After three failures nothing is sent for three seconds; then one good answer lets everything through again."""
    desk = desks(brittle)
    desk.simulator.fault(path_prefix="/v1/challenge", times=3, kind="refuse")
    for _ in range(3):
        assert (await desk.challenge(Story(action="signUp", sub=None))).status == 503
    sent = len(desk.simulator.calls("POST", "/v1/challenge"))

    began = time.monotonic()
    refused = [await desk.challenge(Story(action="signUp", sub=None)) for _ in range(5)]
    assert time.monotonic() - began < OPEN_SECONDS
    assert {(answer.status, answer.code) for answer in refused} == {(503, "provider_busy")}
    assert len(desk.simulator.calls("POST", "/v1/challenge")) == sent == 3
    await asyncio.sleep(OPEN_SECONDS + 0.1)

    answers = [await desk.challenge(Story(action="signUp", sub=None)) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3


async def test_a_provider_that_is_not_there(desks: Callable[[ServiceProcess], Desk], office: Office) -> None:
    """When nothing listens where Authsignal should be, the service is up and answers 503."""
    process = office.start(authsignal_url="http://127.0.0.1:9/v1")
    try:
        answer = await desks(process).challenge(Story())
    finally:
        process.stop()

    assert (answer.status, answer.code) == (503, "provider_busy")
