"""
Limits at the door, shared by all copies: by client address, device and identifier; by attempt they are in its record.

1. Every limit is a sliding window: at most so many within any `limit_window_seconds`, however they lie in time.
2. What an address may do is counted for known and unknown ones alike, and kept below the provider's own limits, which hold for
   known people only: whoever ran into those would learn who is known.
3. A client is told how much is left of what it alone uses up, and never how much is left of an address: that would tell what
   its owner is doing.
4. A device is what the client says it is. Leaving it out changes nothing, so its limit narrows and never widens.
5. A request takes its places in all its windows at once, or in none. The same round trip makes sure that Cognito has room for
   what comes of it.
"""

import ipaddress
from typing import Final, NamedTuple

from services.gateway.attempts.model import AttemptKind
from services.gateway.cognito.quota import Category, CognitoQuota
from services.gateway.recorder import Recorder
from services.gateway.settings import GatewaySettings
from shared.challenge_api import TEXT_METHODS
from shared.events import Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext
from shared.problems import ProviderBusy, TooManyAttempts, retry_after
from shared.state import StateStore, Taking, Window

IPV6_PREFIX_BITS: Final = 64  # What one household or one server gets: RFC 6177 section 2.
MINUTE_SECONDS: Final = 60
# What a proof needs of Cognito.
NEEDED: Final = {
    AttemptKind.SIGN_UP: (Category.USER_CREATION, Category.USER_AUTHENTICATION),
    AttemptKind.SIGN_IN: (Category.USER_AUTHENTICATION,),
    AttemptKind.STEP_UP: (),
}


class Limit(NamedTuple):
    """One window of a request. `is_told`: the client alone uses it up, so it may know how much is left."""

    name: str
    window: Window
    is_told: bool = False


class Limits:
    """Counts what clients do, and refuses what is too much."""

    def __init__(self, state: StateStore, recorder: Recorder, settings: GatewaySettings, quota: CognitoQuota) -> None:
        self._state = state
        self._recorder = recorder
        self._settings = settings
        self._quota = quota

    async def check_start(self, context: RequestContext, email_hash: str, device_id: str | None, *, method: str) -> None:
        """
        Count one more start of an attempt, and the message that it sends.

        Its look at Cognito is paid for whether the account is remembered or not: otherwise a full quota would tell them apart.

        Raises:
            TooManyAttempts: This address, client or device has begun too many. The first refusal of a window is recorded,
                with the number of those before it that were not, so that a flood cannot fill the log.
            ProviderBusy: So many look up accounts that Cognito would refuse.
        """
        look = Limit("quota", self._quota.window(Category.USER_READ))
        limits = [*self._of_client(context, device_id, "starts"), *self._of_sends(email_hash, method), look]
        await self._check(context, limits, Subject(email_hash=email_hash))

    async def check_passkey(self, context: RequestContext, device_id: str | None) -> None:
        """Count one more sign-in by passkey, which names nobody; raises as `check_start`."""
        room = self._room(Category.USER_READ, Category.USER_AUTHENTICATION)
        await self._check(context, [*self._of_client(context, device_id, "starts"), *room], Subject())

    async def check_send(self, context: RequestContext, email_hash: str, *, method: str | None) -> None:
        """Count one more message to an address; raises as `check_start`."""
        await self._check(context, self._of_sends(email_hash, method), Subject(email_hash=email_hash))

    async def check_answer(self, context: RequestContext, email_hash: str, device_id: str | None, *, kind: AttemptKind) -> None:
        """
        Count one more code that was typed for an address, right or wrong, over all its attempts; raises as `check_start`.

        What a right code needs of Cognito must have room, before the code is spent; only a right one takes it.
        """
        answers = self._limit("answers_per_identifier", email_hash, self._settings.answers_per_identifier_max)
        limits = [*self._of_client(context, device_id, "answers"), answers, *self._room(*NEEDED[kind])]
        await self._check(context, limits, Subject(email_hash=email_hash))

    async def check_enrolment(self, context: RequestContext, sub: str) -> None:
        """Count one more begun enrolment, each of which may send texts to numbers that we do not see; raises as above."""
        limit = self._limit("enrolments_per_person", sub, self._settings.enrolments_per_person_max)
        await self._check(context, [limit], Subject(sub=sub))

    async def check_direct_write(self, context: RequestContext, sub: str) -> None:
        """Count one more change that a direct client asks for; raises as `check_start`."""
        limit = self._limit("direct_writes", sub, self._settings.direct_writes_max, is_told=True)
        await self._check(context, [limit], Subject(sub=sub))

    async def check_refresh(self, context: RequestContext) -> None:
        """Count one more refresh token that was shown, whosever it is; raises as `check_start`."""
        await self._check(context, [self._by_network(context, "refreshes_per_ip", self._settings.refreshes_per_ip_max)], None)

    async def check_webhook(self, context: RequestContext) -> None:
        """Make sure that not too many webhooks from this address were refused; raises as `check_start`."""
        limit = self._of_forgeries(context)
        await self._check(context, [limit._replace(window=limit.window._replace(asks_only=True))], None)

    async def note_forgery(self, context: RequestContext) -> None:
        """Count one more webhook that was refused."""
        await self._state.take([self._of_forgeries(context).window])

    async def note_refusal(self, context: RequestContext, name: str, attempt_id: str, email_hash: str) -> None:
        """Record that an attempt's own limit refused a request: the first in each span, as of every other limit."""
        # A window without places: it refuses always, and says when that is to be reported.
        limit = self._limit(name, attempt_id, 0)
        taking = await self._state.take([limit.window])
        if taking.unreported is not None:
            await self._record(context, limit, Subject(email_hash=email_hash), taking.unreported, attempt_id)

    def _of_client(self, context: RequestContext, device_id: str | None, what: str) -> list[Limit]:
        settings = self._settings
        is_start = what == "starts"
        by_ip = settings.starts_per_ip_max if is_start else settings.answers_per_ip_max
        limits = [self._by_network(context, f"{what}_per_ip", by_ip)]
        if device_id is not None:
            by_device = settings.starts_per_device_max if is_start else settings.answers_per_device_max
            limits.append(self._limit(f"{what}_per_device", device_id, by_device, is_told=True))
        return limits

    def _by_network(self, context: RequestContext, name: str, places_max: int, *, is_told: bool = True) -> Limit:
        return self._limit(name, network_of(context.client.ip), places_max, is_told=is_told)

    def _of_forgeries(self, context: RequestContext) -> Limit:
        # Told to nobody: whoever signs for us never comes near it.
        places_max = self._settings.webhook_refusals_per_ip_max
        return self._by_network(context, "webhook_refusals_per_ip", places_max, is_told=False)

    def _of_sends(self, email_hash: str, method: str | None) -> list[Limit]:
        limits = [self._limit("starts_per_identifier", email_hash, self._settings.starts_per_identifier_max)]
        if method in TEXT_METHODS:
            limits.append(self._limit("texts_per_identifier", email_hash, self._settings.texts_per_identifier_max))
        return limits

    def _limit(self, name: str, value: str, places_max: int, *, is_told: bool = False) -> Limit:
        window = Window(f"limit:{name}:{value}", places_max, self._settings.limit_window_seconds)
        return Limit(name, window, is_told)

    def _room(self, *categories: Category) -> list[Limit]:
        return [Limit("quota", self._quota.window(category, asks_only=True)) for category in categories]

    async def _check(self, context: RequestContext, limits: list[Limit], subject: Subject | None) -> None:
        taking = await self._state.take([limit.window for limit in limits])
        context.response_headers.extend(rate_limit_headers(limits, taking))
        if taking.refused_by is None:
            return
        refusing = limits[taking.refused_by]
        if taking.unreported is not None:
            await self._record(context, refusing, subject, taking.unreported)
        if refusing.name == "quota":
            raise ProviderBusy(refusing.window.key, headers=retry_after(taking.retry_seconds))
        wait = taking.retry_seconds
        if not refusing.is_told:
            # To the minute: to the second it would tell when the owner of the address last asked for something.
            wait = -(-wait // MINUTE_SECONDS) * MINUTE_SECONDS
        raise TooManyAttempts(refusing.name, headers=retry_after(wait))

    async def _record(
        self, context: RequestContext, limit: Limit, subject: Subject | None, unreported: int, attempt_id: str | None = None
    ) -> None:
        reason = limit.name if limit.name != "quota" else limit.window.key.removeprefix("limit:")
        draft = Draft(
            event_type=EventType.ABUSE_RATE_LIMITED,
            outcome=Outcome.DENIED,
            reason=reason,
            attempt_id=attempt_id,
            subject=subject,
            data={"refusals_not_recorded": unreported},
        )
        await self._recorder.record(context, draft)


def network_of(address: str | None) -> str:
    """Return whom an address stands for: itself, or of IPv6 its /64, in which one client has as many as it likes."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX_BITS), strict=False))


def rate_limit_headers(limits: list[Limit], taking: Taking) -> list[tuple[bytes, bytes]]:
    """
    Return ``RateLimit-Policy`` and ``RateLimit`` of the limits that a client may know of: places in all and left, the span
    and the seconds until the next place is free.

    Source: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4 (structured fields, RFC 9651).
    """
    policies, states = [], []
    for limit, left, wait in zip(limits, taking.left, taking.wait_seconds, strict=True):
        if limit.is_told:
            policies.append(f'"{limit.name}";q={limit.window.places_max};w={limit.window.seconds}')
            states.append(f'"{limit.name}";r={left};t={max(1, -int(-wait // 1))}')
    if not policies:
        return []
    return [(b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(states).encode())]
