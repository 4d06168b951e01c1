"""Limits at the door, over a store whose clock is the test's: what counts together, what is told, what is recorded."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from services.gateway.attempts.model import AttemptKind
from services.gateway.cognito.faults import OVER_BUDGET, CognitoRefused
from services.gateway.cognito.quota import CognitoQuota, CognitoRates
from services.gateway.limits import Limits, network_of
from services.gateway.recorder import Recorder
from services.gateway.settings import GatewaySettings
from shared.audit_trail import AuditTrail
from shared.events import Client
from shared.http.context import RequestContext
from shared.problems import ProviderBusy, TooManyAttempts
from shared.state.memory import MemoryState

WINDOW = 600


def settings_with(**changes: Any) -> GatewaySettings:
    """Return settings of a gateway that nothing is asked of but its limits."""
    required = (field.name for field in msgspec.structs.fields(GatewaySettings) if field.required)
    return msgspec.convert({**dict.fromkeys(required, "x"), **changes}, GatewaySettings)


class Lab:
    """Two copies of the gateway's limits over one store."""

    def __init__(self, **changes: Any) -> None:
        self.now = 0.0
        self.events: list[dict[str, Any]] = []
        self.settings = settings_with(limit_window_seconds=WINDOW, **changes)
        state = MemoryState(clock=lambda: self.now)
        quota = CognitoQuota(state, self.settings.cognito_rates)
        recorder = Recorder(AuditTrail(self._send, "gateway"))
        self.copies = [Limits(state, recorder, self.settings, quota) for _ in range(2)]
        self.asked = 0

    async def _send(self, body: str) -> None:
        self.events.extend(msgspec.json.decode(line) for line in body.splitlines())

    async def start(
        self, *, ip: str = "192.0.2.1", who: str = "alice", device: str | None = None, method: str = "EMAIL_OTP"
    ) -> RequestContext:
        """Begin an attempt at the next copy; return its context, or raise the refusal."""
        self.asked += 1
        context = context_from(ip)
        await self.copies[self.asked % 2].check_start(context, who, device, method=method)
        return context

    async def starts(self, count: int, **about: Any) -> int:
        """Begin so many attempts; return how many were admitted before the first refusal."""
        for admitted in range(count):
            try:
                await self.start(**about)
            except TooManyAttempts:
                return admitted
        return count


def context_from(ip: str) -> RequestContext:
    """Return the context of a request from an address."""
    return RequestContext("request", "0" * 32, "0" * 16, is_sampled=False, client=Client(ip=ip))


def headers_of(context: RequestContext) -> dict[str, str]:
    """Return what the answer tells of limits."""
    return {name.decode(): value.decode() for name, value in context.response_headers}


async def test_copies_share_each_limit() -> None:
    """Address, device, person and text limits hold over both copies together, and admit again once their span is over."""
    lab = Lab(starts_per_ip_max=20, starts_per_device_max=6)
    assert await lab.starts(30, device="device-1", ip="192.0.2.9", who="bob") == 6
    assert await lab.starts(30, who="alice") == 10
    assert await lab.starts(30, who="carol", method="SMS") == 5
    lab.now = WINDOW - 0.001
    assert await lab.starts(1, who="alice") == 0
    lab.now = WINDOW
    assert await lab.starts(30, who="alice") == 10
    assert [await lab.starts(4, who=f"person-{number}") for number in range(4)] == [4, 4, 2, 0]


async def test_no_alignment_lets_more_through_than_the_provider_would() -> None:
    """Nine late in one fixed window and ten early in the next were once let through: now never more than ten in any span."""
    lab = Lab()
    admitted: list[float] = []
    for step in range(200):  # Twenty minutes, a try every six seconds.
        lab.now = step * 6.0
        if await lab.starts(1, ip=f"192.0.2.{step % 250}"):
            admitted.append(lab.now)

    assert max(sum(begin <= moment < begin + WINDOW for moment in admitted) for begin in admitted) == 10


async def test_the_answer_tells_what_the_client_uses_up_alone() -> None:
    """Policy and what is left are told of the client's address and device; of the mailbox, which others use too, nothing."""
    lab = Lab(starts_per_ip_max=3, starts_per_device_max=5)
    for who in ("alice", "bob"):
        context = await lab.start(who=who, device="device-1")
        lab.now += 10
    await lab.start(who="bob")
    context = context_from("192.0.2.1")
    with pytest.raises(TooManyAttempts):
        await lab.copies[0].check_start(context, "carol", None, method="EMAIL_OTP")

    assert headers_of(context) == {
        "ratelimit-policy": '"starts_per_ip";q=3;w=600',
        "ratelimit": '"starts_per_ip";r=0;t=580',
    }
    context = context_from("192.0.2.2")
    await lab.copies[1].check_start(context, "alice", "device-1", method="EMAIL_OTP")
    assert headers_of(context) == {
        "ratelimit-policy": '"starts_per_ip";q=3;w=600, "starts_per_device";q=5;w=600',
        "ratelimit": '"starts_per_ip";r=2;t=600, "starts_per_device";r=2;t=580',
    }


async def test_a_refusal_says_when_to_come_back() -> None:
    """A client's own limit says it to the second; an address's to the minute, so that nobody learns when its owner came."""
    lab = Lab(starts_per_ip_max=1)
    await lab.start()
    lab.now = 41.5
    with pytest.raises(TooManyAttempts) as own:
        await lab.start()
    for number in range(9):
        await lab.start(ip=f"192.0.2.{100 + number}")
    with pytest.raises(TooManyAttempts) as others:
        await lab.start(ip="192.0.2.200")

    assert [refusal.value.headers["Retry-After"] for refusal in (own, others)] == ["559", "600"]


async def test_a_flood_does_not_fill_the_log() -> None:
    """Of each span the first refusal is recorded, over all copies, and says how many before it were not."""
    lab = Lab(starts_per_ip_max=2)
    for _ in range(2):
        await lab.starts(2)
        for _ in range(50):
            assert await lab.starts(1) == 0
        lab.now += WINDOW
    await lab.starts(3)

    told = [(event["event_type"], event["outcome"], event["reason"], event["data"]) for event in lab.events]
    assert told == [
        ("abuse.rate_limited", "denied", "starts_per_ip", {"refusals_not_recorded": earlier}) for earlier in (0, 49, 49)
    ]


async def test_a_signed_in_person_has_limits_of_their_own() -> None:
    """Enrolments and direct changes are counted by account, each alone; answers by client, device and address."""
    lab = Lab(enrolments_per_person_max=2, direct_writes_max=3, answers_per_ip_max=4, answers_per_device_max=1)
    context = context_from("192.0.2.1")
    first, second = lab.copies
    counts: dict[str, Callable[[], Awaitable[None]]] = {
        "enrolments_per_person": lambda: first.check_enrolment(context, "sub"),
        "direct_writes": lambda: second.check_direct_write(context, "sub"),
        "answers_per_device": lambda: second.check_answer(context, "alice", "device-1", kind=AttemptKind.STEP_UP),
        "answers_per_ip": lambda: first.check_answer(context, "bob", None, kind=AttemptKind.SIGN_UP),
    }
    admitted = dict.fromkeys(counts, 0)
    for name, count in counts.items():
        with contextlib.suppress(TooManyAttempts):
            while True:
                await count()
                admitted[name] += 1

    # One of the four answers of this client was that device's.
    assert admitted == {"enrolments_per_person": 2, "direct_writes": 3, "answers_per_device": 1, "answers_per_ip": 3}
    assert [event["reason"] for event in lab.events] == list(counts)


async def test_refreshes_and_forgeries_are_counted_by_client() -> None:
    """
    Refresh tokens shown from one address have a limit that is told; webhooks that were refused have one that is not, and
    which neither asking nor what is genuine uses up.
    """
    lab = Lab(refreshes_per_ip_max=2, webhook_refusals_per_ip_max=2)
    contexts = [context_from("192.0.2.1") for _ in range(3)]
    for context in contexts[:2]:
        await lab.copies[0].check_refresh(context)
    with pytest.raises(TooManyAttempts):
        await lab.copies[1].check_refresh(contexts[2])
    await lab.copies[1].check_refresh(context_from("192.0.2.2"))
    sender = context_from("192.0.2.1")
    for _ in range(5):
        await lab.copies[0].check_webhook(sender)
    for _ in range(2):
        await lab.copies[0].note_forgery(sender)
    with pytest.raises(TooManyAttempts) as refusal:
        await lab.copies[1].check_webhook(sender)
    await lab.copies[1].check_webhook(context_from("192.0.2.2"))

    assert headers_of(contexts[1]) == {
        "ratelimit-policy": '"refreshes_per_ip";q=2;w=600',
        "ratelimit": '"refreshes_per_ip";r=0;t=600',
    }
    assert (headers_of(sender), refusal.value.headers["Retry-After"]) == ({}, "600")
    assert [event["reason"] for event in lab.events] == ["refreshes_per_ip", "webhook_refusals_per_ip"]
    lab.now = WINDOW
    await lab.copies[0].check_webhook(sender)


async def test_cognitos_quota_is_never_asked_for_more() -> None:
    """Over our budget for Cognito we answer 503 and a wait ourselves, before a code is spent; wrong codes take none of it."""
    lab = Lab(cognito_rates=msgspec.to_builtins(CognitoRates(user_authentication=3, user_read=2)))
    context = context_from("192.0.2.1")
    await lab.starts(2)
    with pytest.raises(ProviderBusy) as looking:
        await lab.start(who="bob")
    for _ in range(5):
        await lab.copies[0].check_answer(context, "alice", None, kind=AttemptKind.SIGN_IN)
    quota = CognitoQuota(lab.copies[0]._state, lab.settings.cognito_rates)
    for _ in range(3):
        await quota.take("InitiateAuth")
    with pytest.raises(ProviderBusy) as answering:
        await lab.copies[1].check_answer(context, "alice", None, kind=AttemptKind.SIGN_IN)
    await lab.copies[1].check_answer(context, "alice", None, kind=AttemptKind.STEP_UP)
    lab.now = 1.0
    await lab.copies[1].check_answer(context, "alice", None, kind=AttemptKind.SIGN_IN)

    assert [refusal.value.headers["Retry-After"] for refusal in (looking, answering)] == ["1", "1"]
    assert [event["reason"] for event in lab.events] == ["quota:user_read", "quota:user_authentication"]


async def test_a_burst_waits_and_a_flood_is_refused() -> None:
    """A call that finds Cognito's budget spent waits a moment for a place; one that finds none within a second is not made."""
    state = MemoryState()
    quota = CognitoQuota(state, CognitoRates(user_creation=2))
    await asyncio.gather(*(quota.take("SignUp") for _ in range(4)))
    await quota.take("GetGroup")  # Of no category: not counted.

    frozen = CognitoQuota(MemoryState(clock=lambda: 0.0), CognitoRates(user_creation=2))
    outcomes = await asyncio.gather(*(frozen.take("SignUp") for _ in range(4)), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, CognitoRefused)]
    assert [(refusal.code, refusal.problem().code) for refusal in refusals] == [(OVER_BUDGET, "provider_busy")] * 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("pipe", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_ipv6_client_is_its_network(address: str | None, network: str) -> None:
    """Of IPv6 the /64 counts, in which one client has as many addresses as it likes; a mapped IPv4 address counts as itself."""
    assert network_of(address) == network
