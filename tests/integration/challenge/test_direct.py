"""The calls of Cognito's triggers: who may make them, what they are told, and what is burned."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.events import Event
from tests.integration.challenge.conftest import Office
from tests.integration.challenge.desk import Desk, Reply, Story
from tests.integration.gateway.process import ServiceProcess, settings_of
from tests.integration.gateway.ranks import mann_whitney_p

TRIGGER_TOKENS = ("7a" * 32, "7b" * 32)
BEGIN, CHECK = "/v1/direct/challenges", "/v1/direct/answers"
VEIL_SECONDS = 0.05
STARTS_MAX = 4
P_MIN = 0.003
BUDGET_SECONDS, TRIGGER_SECONDS_MAX = 2.0, 5.0  # for all calls of Authsignal; until Cognito asks again


@pytest.fixture(scope="module")
def direct(office: Office) -> Iterator[ServiceProcess]:
    """A service with two trigger tokens and few starts for each person."""
    tokens = office.folder / "direct_tokens"
    tokens.write_text("\n".join(TRIGGER_TOKENS))
    process = office.start(
        direct_token_file=str(tokens),
        direct_veil_seconds=VEIL_SECONDS,
        direct_starts_max=STARTS_MAX,
        authsignal_budget_seconds=BUDGET_SECONDS,
    )
    yield process
    process.stop()


@pytest.fixture
def triggers(desks: Callable[[ServiceProcess], Desk], direct: ServiceProcess) -> "Triggers":
    """Cognito's triggers."""
    return Triggers(desks(direct))


class Triggers:
    """Calls the service as Create and Verify do, for one enrolled person at a time."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def person(self) -> Story:
        """Make somebody with a proven address and one factor."""
        return await self.desk.enrolled()

    async def begin(self, story: Story, **changes: Any) -> Reply:
        """Begin a sign-in of somebody with a verified address."""
        known = {"sub": story.sub, "email": story.email, "is_email_verified": True} if story.sub is not None else {}
        body = {"username": story.sub or story.email, **known, **changes}
        return await self.desk.post(BEGIN, body, token=TRIGGER_TOKENS[0])

    async def check(self, story: Story, begun: Reply, answer: str, **changes: Any) -> Reply:
        """Answer the challenge of a sign-in."""
        known = {"sub": story.sub, "email": story.email, "is_email_verified": True} if story.sub is not None else {}
        kept = {name: begun.body[name] for name in ("idempotency_key", "challenge_id")}
        body = {"username": story.sub or story.email, **known, **kept, "round": 1, "answer": answer, **changes}
        return await self.desk.post(CHECK, body, token=TRIGGER_TOKENS[0])

    def earn(self, story: Story, begun: Reply) -> str:
        """Do what the Web SDK does with the token of a challenge."""
        return self.desk.earn(begun.body["token"], story.email)

    async def story_of(self, begun: Reply, expect: str) -> list[Event]:
        """Return the events of one sign-in."""
        return await self.desk.events(Story(attempt_id=begun.body["idempotency_key"]), expect=expect)


def claims_of(token: str) -> dict[str, Any]:
    """Read the claims of a JWT without checking it."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


async def test_triggers_and_gateway_open_each_their_own_doors(triggers: Triggers, office: Office) -> None:
    """A trigger's token, either of two, calls nothing but the triggers' paths; the gateway's calls everything else."""
    desk, story = triggers.desk, await triggers.person()
    ours = ["/v1/challenges", "/v1/completions", "/v1/authenticators/list", "/v1/people/authenticators", "/v1/people/proofs"]

    for token in TRIGGER_TOKENS:
        assert (await desk.post(BEGIN, {"username": "x"}, token=token)).status == 200
        for path in ours:
            assert (await desk.post(path, {"sub": story.sub}, token=token)).status == 401, path
    for token in office.tokens:
        for path in (BEGIN, CHECK):
            assert (await desk.post(path, {"username": "x"}, token=token)).status == 401
        assert (await desk.post("/v1/people/authenticators", {"sub": story.sub}, token=token)).status == 200
    for token in ("", "x" * 64, f"{TRIGGER_TOKENS[0]}0"):
        assert (await desk.post(BEGIN, {"username": "x"}, token=token)).status == 401


async def test_without_trigger_tokens_the_direct_client_is_off(office: Office, desks: Callable[[ServiceProcess], Desk]) -> None:
    """Without a file of tokens no token opens the triggers' paths, and the gateway is told that there is nothing."""
    process = office.start(direct_token_file=None)
    try:
        desk = desks(process)
        for token in (*TRIGGER_TOKENS, "", office.tokens[0]):
            assert (await desk.post(BEGIN, {"username": "x"}, token=token)).status == 401
        assert (await desk.post("/v1/people/authenticators", {"sub": str(uuid.uuid4())})).status == 404
    finally:
        process.stop()


async def test_a_repeated_verify_is_answered_as_the_first(triggers: Triggers) -> None:
    """W17: Cognito may call Verify again for the same challenge: a right answer stays right, and is right nowhere else."""
    story = await triggers.person()
    begun = await triggers.begin(story)
    earned = triggers.earn(story, begun)

    said = [(await triggers.check(story, begun, earned)).body for _ in range(3)]
    elsewhere = await triggers.check(story, begun, earned, challenge_id=str(uuid.uuid4()))

    assert said == [{"is_correct": True}] * 3
    assert elsewhere.body == {"is_correct": False}
    types = [event.event_type.value for event in await triggers.story_of(begun, "token.replayed")]
    assert types.count("token.replayed") == 1


async def test_a_repeated_create_of_a_round_tracks_one_action(triggers: Triggers) -> None:
    """W17: with the key that Cognito remembers the same action is tracked, and every challenge still has its own id."""
    story = await triggers.person()
    first = await triggers.begin(story)
    further = [await triggers.begin(story, idempotency_key=first.body["idempotency_key"]) for _ in range(2)]

    assert {reply.body["idempotency_key"] for reply in (first, *further)} == {first.body["idempotency_key"]}
    assert len({reply.body["challenge_id"] for reply in (first, *further)}) == 3
    keys = [claims_of(reply.body["token"])["other"]["idempotencyKey"] for reply in (first, *further)]
    assert set(keys) == {first.body["idempotency_key"]}


async def test_sign_ins_of_one_person_never_share_an_action(triggers: Triggers) -> None:
    """Two sign-ins begun at once have two keys: a proof of one does not let in whoever began the other."""
    story = await triggers.person()
    mine, theirs = await triggers.begin(story), await triggers.begin(story)
    earned = triggers.earn(story, mine)

    assert mine.body["idempotency_key"] != theirs.body["idempotency_key"]
    # Not even with the token that they were given, although its user and action are the same.
    assert (await triggers.check(story, theirs, theirs.body["token"])).body == {"is_correct": False}
    assert (await triggers.check(story, theirs, earned)).body == {"is_correct": False}
    assert (await triggers.check(story, mine, earned)).body == {"is_correct": True}


async def test_a_passed_challenge_may_still_be_answered_in_the_next_round(triggers: Triggers) -> None:
    """Who answered wrongly after the code was right gets the token again, and is let in."""
    story = await triggers.person()
    begun = await triggers.begin(story)
    earned = triggers.earn(story, begun)
    assert (await triggers.check(story, begun, "wrong")).body == {"is_correct": False}

    again = await triggers.begin(story, idempotency_key=begun.body["idempotency_key"])

    assert (await triggers.check(story, again, earned, round=2)).body == {"is_correct": True}


@pytest.mark.parametrize("answer", ["", "123456", "x" * 8192, "a.b.c.d" * 4])
async def test_rubbish_is_a_wrong_answer(triggers: Triggers, answer: str) -> None:
    """Whatever is no token of Authsignal's is wrong, and counted in the log."""
    story = await triggers.person()
    begun = await triggers.begin(story)

    assert (await triggers.check(story, begun, answer)).body == {"is_correct": False}

    last = (await triggers.story_of(begun, "challenge.rejected"))[-1]
    assert last.outcome.value == "failure"
    assert last.reason in {"NOT_A_TOKEN", "TOKEN_INVALID"}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "respond", "status": 500},
        {"kind": "respond", "status": 200, "body": "{}"},
        {"kind": "drop"},
        {"kind": "delay", "delay_ms": 5000},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
async def test_what_authsignal_fails_at_is_no_proof(triggers: Triggers, fault: dict[str, Any]) -> None:
    """Slow, broken, or answering nothing: the trigger hears of it within its time, nothing is burned, and it works later."""
    story = await triggers.person()
    begun = await triggers.begin(story)
    earned = triggers.earn(story, begun)
    triggers.desk.simulator.fault(path_prefix="/v1/validate", times=5, **fault)
    started = time.monotonic()

    failed = await triggers.check(story, begun, earned)

    assert failed.status in {502, 503} or failed.body == {"is_correct": False}
    assert time.monotonic() - started < TRIGGER_SECONDS_MAX
    triggers.desk.simulator.reset()
    assert (await triggers.check(story, begun, earned)).body == {"is_correct": True}


async def test_decoys_fail_while_authsignal_does(triggers: Triggers) -> None:
    """During an outage a name that nobody has fails like one that somebody has; afterwards both work again."""
    story, nobody = await triggers.person(), Story(sub=None)
    triggers.desk.simulator.fault(path_prefix="/v1/users/", times=20, kind="respond", status=500)
    outage = [(await triggers.begin(who)).status for who in (story, nobody)]
    triggers.desk.simulator.reset()

    assert outage == [503, 503]
    assert [(await triggers.begin(who)).status for who in (story, nobody)] == [200, 200]


async def test_a_stand_in_is_never_right(triggers: Triggers) -> None:
    """Not even somebody's good proof is right for a name that nobody has."""
    story, nobody = await triggers.person(), Story(sub=None)
    earned = triggers.earn(story, await triggers.begin(story))
    begun = await triggers.begin(nobody)

    assert (await triggers.check(nobody, begun, earned)).body == {"is_correct": False}
    assert (await triggers.story_of(begun, "challenge.rejected"))[-1].reason == "unknown_identifier"


async def test_a_name_keeps_its_decoy_s_id(triggers: Triggers) -> None:
    """The stand-in of a name has one id, in any spelling; a name that is an id already keeps it."""
    name, given = f"n{uuid.uuid4().hex}@example.test", str(uuid.uuid4())

    async def sub_of(username: str) -> str:
        return str(claims_of((await triggers.begin(Story(sub=None), username=username)).body["token"])["sub"])

    assert await sub_of(name) == await sub_of(name.upper()) != await sub_of(f"x{name}")
    assert await sub_of(given) == given


async def test_known_and_unknown_names_take_as_long(triggers: Triggers, office: Office) -> None:
    """
    W12: over eighty interleaved calls a rank test cannot tell the starts of known names from those of unknown ones.

    Chance alone is below the bound once in three hundred times, so a second sample may speak for the first, as often.
    """
    people = [await triggers.person() for _ in range(10)]
    await triggers.begin(people[0])

    assert await rank_p(triggers, people) > P_MIN or await rank_p(triggers, people) > P_MIN


async def rank_p(triggers: Triggers, people: list[Story]) -> float:
    """Return how likely eighty starts, of known and unknown names in turn, take times as far apart as they do by chance."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(80):
        is_known = number % 2 == 0
        story = people[number // 2 % 10] if is_known else Story(sub=None)
        key = {"idempotency_key": str(uuid.uuid4())}  # A further round: no limit is in the way.
        started = time.perf_counter()
        assert (await triggers.begin(story, **key)).status == 200
        took[is_known].append(time.perf_counter() - started)
    return mann_whitney_p(took[True], took[False])


async def test_too_many_starts_are_met_with_decoys(triggers: Triggers) -> None:
    """W13: past the limit a person's name behaves like one that nobody has, and the log says once that it was too much."""
    story = await triggers.person()
    for _ in range(STARTS_MAX):
        assert (await triggers.story_of(await triggers.begin(story), "action.tracked"))[-1].outcome.value == "success"

    told = []
    for _ in range(2):
        story_told = await triggers.story_of(await triggers.begin(story), "sign_in.decoyed")
        told.append([event.event_type.value for event in story_told])

    assert told == [["sign_in.started", "abuse.rate_limited", "sign_in.decoyed"], ["sign_in.started", "sign_in.decoyed"]]


async def test_another_copy_s_decoys_are_of_the_same_make(
    triggers: Triggers, office: Office, desks: Callable[[ServiceProcess], Desk]
) -> None:
    """A copy that has seen no real token yet takes the make from the others; what they share is itself a decoy."""
    shared = {
        "state_url": settings_of(office.stack, "challenge")["state_url"],
        "direct_token_file": str(office.folder / "direct_tokens"),
    }
    first, second = office.start(**shared), office.start(**shared)
    try:
        story = await Triggers(desks(first)).person()
        real = claims_of((await Triggers(desks(first)).begin(story)).body["token"])
        decoy = claims_of((await Triggers(desks(second)).begin(Story(sub=None))).body["token"])
    finally:
        first.stop()
        second.stop()

    assert decoy.keys() == real.keys()
    assert decoy["other"].keys() == real["other"].keys()
    assert decoy["other"]["tenantId"] == real["other"]["tenantId"]
    assert {decoy["sub"], decoy["other"]["userId"], decoy["other"]["idempotencyKey"]}.isdisjoint(
        {real["sub"], real["other"]["idempotencyKey"]}
    )
