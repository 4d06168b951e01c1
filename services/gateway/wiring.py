"""What handlers reach through ``app.state.gateway``: one object, so that a hot handler needs no dependency injection."""

from typing import Any

from litestar import Request

from services.gateway.account import Accounts
from services.gateway.attempts.model import Attempt, AttemptKind
from services.gateway.attempts.service import Attempts
from services.gateway.direct.service import DirectAccounts
from services.gateway.sessions.model import Session
from services.gateway.sessions.service import Sessions
from services.gateway.settings import GatewaySettings
from services.gateway.views import AttemptView, SdkView, SessionView, attempt_view, session_view
from shared.http.problems import context_of
from shared.state import StateStore

AnyRequest = Request[Any, Any, Any]


class Gateway:
    """The parts of one gateway process."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        attempts: Attempts,
        sessions: Sessions,
        accounts: Accounts,
        state: StateStore,
        direct: DirectAccounts | None = None,
    ) -> None:
        self.settings = settings
        self.attempts = attempts
        self.sessions = sessions
        self.accounts = accounts
        self.state = state
        self.direct = direct

    async def session_of(self, request: AnyRequest) -> Session:
        """Return the session of a request, or raise what is wrong with it."""
        return await self.sessions.require(context_of(request), request.headers.get("cookie"))

    def show_attempt(self, attempt: Attempt) -> AttemptView:
        """Return the client's view of an attempt."""
        return attempt_view(attempt, sdk=self._sdk(attempt))

    def show_session(self, session: Session) -> SessionView:
        """Return the owner's view of a session."""
        return session_view(session, idle_seconds=self.settings.session_idle_seconds)

    def _sdk(self, attempt: Attempt) -> SdkView | None:
        if not self.settings.sdk_sign_in_enabled or attempt.kind is not AttemptKind.SIGN_IN:
            return None
        if attempt.track_token is None:
            return None
        return SdkView(
            token=attempt.track_token,
            tenant_id=self.settings.authsignal_tenant_id,
            base_url=self.settings.authsignal_client_url,
        )


def gateway_of(request: AnyRequest) -> Gateway:
    """Return the gateway that a request came to."""
    gateway: Gateway = request.app.state.gateway
    return gateway


def cookie_of(request: AnyRequest) -> str | None:
    """Return the Cookie header."""
    return request.headers.get("cookie")
