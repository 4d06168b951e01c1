"""Limits on starting attempts: by address (known or not) and by client address, shared by all copies."""

from services.gateway.recorder import Recorder
from services.gateway.settings import GatewaySettings
from shared.events import Draft, EventType, Outcome, Subject
from shared.http.context import RequestContext
from shared.problems import TooManyAttempts, retry_after
from shared.state import StateStore


class Limits:
    """Counts in fixed windows of `limit_window_seconds`."""

    def __init__(self, state: StateStore, recorder: Recorder, settings: GatewaySettings) -> None:
        self._state = state
        self._recorder = recorder
        self._window_seconds = settings.limit_window_seconds
        self._maxima = {"identifier": settings.starts_per_identifier_max, "ip": settings.starts_per_ip_max}

    async def check_start(self, context: RequestContext, email_hash: str) -> None:
        """
        Count one more start of an attempt.

        Raises:
            TooManyAttempts: This address or this client has begun too many. The first refusal of a window is recorded,
                the rest is not, so that a flood cannot fill the log.
        """
        for kind, value in (("ip", context.client.ip or "unknown"), ("identifier", email_hash)):
            count = await self._state.count(f"limit:start:{kind}:{value}", ttl_seconds=self._window_seconds)
            maximum = self._maxima[kind]
            if count <= maximum:
                continue
            if count == maximum + 1:
                await self._recorder.record(
                    context,
                    Draft(
                        event_type=EventType.ABUSE_RATE_LIMITED,
                        outcome=Outcome.DENIED,
                        reason=f"starts_per_{kind}",
                        subject=Subject(email_hash=email_hash),
                    ),
                )
            raise TooManyAttempts(f"starts_per_{kind}", headers=retry_after(self._window_seconds))
