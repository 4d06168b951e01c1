"""Limits on attempts: by address (known or not) and by client address, shared by all copies."""

from services.gateway.recorder import Recorder
from services.gateway.settings import GatewaySettings
from shared.events import Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext
from shared.problems import TooManyAttempts, retry_after
from shared.state import StateStore


class Limits:
    """
    Counts in fixed windows of `limit_window_seconds`.

    What an address may do is counted here for known and unknown ones alike, and kept below the provider's own limits, which
    hold for known people only: whoever ran into those would learn who is known.
    """

    def __init__(self, state: StateStore, recorder: Recorder, settings: GatewaySettings) -> None:
        self._state = state
        self._recorder = recorder
        self._window_seconds = settings.limit_window_seconds
        self._per_identifier_max = settings.starts_per_identifier_max
        self._per_ip_max = settings.starts_per_ip_max

    async def check_start(self, context: RequestContext, email_hash: str) -> None:
        """
        Count one more start of an attempt, and the code that it sends.

        Raises:
            TooManyAttempts: This address or this client has begun too many. The first refusal of a window is recorded,
                the rest is not, so that a flood cannot fill the log.
        """
        await self._check(context, "starts_per_ip", context.client.ip or "unknown", self._per_ip_max, email_hash)
        await self.check_send(context, email_hash)

    async def check_passkey(self, context: RequestContext) -> None:
        """
        Count one more sign-in by passkey, which names nobody.

        Raises:
            TooManyAttempts: As `check_start`.
        """
        await self._check(context, "starts_per_ip", context.client.ip or "unknown", self._per_ip_max, None)

    async def check_send(self, context: RequestContext, email_hash: str) -> None:
        """
        Count one more code sent to an address.

        Raises:
            TooManyAttempts: As `check_start`.
        """
        await self._check(context, "starts_per_identifier", email_hash, self._per_identifier_max, email_hash)

    async def check_answer(self, context: RequestContext, email_hash: str) -> None:
        """
        Count one more code that was typed for an address, right or wrong, over all its attempts.

        Raises:
            TooManyAttempts: As `check_start`.
        """
        await self._check(context, "answers_per_identifier", email_hash, self._per_identifier_max, email_hash)

    async def _check(self, context: RequestContext, name: str, value: str, maximum: int, email_hash: str | None) -> None:
        count = await self._state.count(f"limit:{name}:{value}", ttl_seconds=self._window_seconds)
        if count <= maximum:
            return
        if count == maximum + 1:
            subject = Subject(email_hash=email_hash)
            await self._recorder.record(
                context, Draft(event_type=EventType.ABUSE_RATE_LIMITED, outcome=Outcome.DENIED, reason=name, subject=subject)
            )
        raise TooManyAttempts(name, headers=retry_after(self._window_seconds))
