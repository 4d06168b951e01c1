"""What handlers reach through ``app.state.gateway``: one object, so that a hot handler needs no dependency injection."""

from typing import Any

from litestar import Request

from services.gateway import cookies
from services.gateway.account import Accounts
from services.gateway.activity import Activity
from services.gateway.attempts.door import Door
from services.gateway.attempts.flow import Flow
from services.gateway.attempts.model import Attempt, AttemptKind
from services.gateway.authenticators.service import AccountAuthenticators
from services.gateway.businesses import Businesses
from services.gateway.deletion import AccountDeletion
from services.gateway.devices import device_name
from services.gateway.direct.service import DirectAccounts
from services.gateway.limits import Limits
from services.gateway.natives import Caller, NativeClients, credential_of
from services.gateway.sessions.model import Session, SignedIn
from services.gateway.sessions.refresh import Refresh
from services.gateway.sessions.service import Sessions
from services.gateway.settings import GatewaySettings
from services.gateway.step_ups.grants import GrantSigner
from services.gateway.step_ups.service import StepUps
from services.gateway.views import (
    AttemptView,
    SdkView,
    SessionView,
    SignedInView,
    StepUpView,
    attempt_view,
    session_view,
    signed_in_view,
    step_up_view,
)
from services.gateway.webhooks.service import Webhooks
from shared.http.problems import context_of
from shared.state import StateStore

AnyRequest = Request[Any, Any, Any]


class Gateway:
    """The parts of one gateway process."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        door: Door,
        flow: Flow,
        sessions: Sessions,
        accounts: Accounts,
        authenticators: AccountAuthenticators,
        activity: Activity,
        step_ups: StepUps,
        signer: GrantSigner,
        businesses: Businesses,
        webhooks: Webhooks,
        state: StateStore,
        clients: NativeClients,
        refresh: Refresh,
        limits: Limits,
        deletion: AccountDeletion,
        direct: DirectAccounts | None = None,
    ) -> None:
        self.settings = settings
        self.door = door
        self.flow = flow
        self.sessions = sessions
        self.accounts = accounts
        self.authenticators = authenticators
        self.activity = activity
        self.step_ups = step_ups
        self.signer = signer
        self.businesses = businesses
        self.webhooks = webhooks
        self.state = state
        self.clients = clients
        self.refresh = refresh
        self.limits = limits
        self.deletion = deletion
        self.direct = direct

    async def session_of(self, request: AnyRequest) -> Session:
        """Return the session of a request, by an app's access token or a browser's cookie, or raise what is wrong with it."""
        token = credential_of(request)
        if token is not None:
            return await self.sessions.require_native(token)
        return await self.sessions.require(context_of(request), cookie_of(request))

    def show_attempt(self, attempt: Attempt, caller: Caller | None = None) -> AttemptView:
        """Return the client's view of an attempt; an app that began it just now (`caller`) is told its token."""
        is_open = self.settings.sdk_sign_in_enabled and attempt.kind is AttemptKind.SIGN_IN
        sdk = self.sdk_view(attempt.track_token) if is_open and attempt.track_token is not None else None
        token = caller.secret if caller is not None and caller.client is not None else None
        return attempt_view(attempt, sdk=sdk, token=token)

    def show_step_up(self, attempt: Attempt) -> StepUpView:
        """Return its person's view of a step-up: a signed-in person may always go on in the browser."""
        sdk = self.sdk_view(attempt.track_token) if attempt.track_token is not None else None
        return step_up_view(attempt, sdk=sdk, grant=self.step_ups.grant(attempt))

    def show_session(self, session: Session) -> SessionView:
        """Return the owner's view of a session."""
        return session_view(session, idle_seconds=self.settings.idle.of(session))

    def show_signed_in(self, signed_in: SignedIn) -> SignedInView:
        """Return what whoever just signed in is told: a browser about its session, an app its tokens as well."""
        return signed_in_view(self.show_session(signed_in.session), signed_in.tokens)

    def device_of(self, session: Session) -> str:
        """Return a name for where a session is: the app's, or the browser's."""
        return self.clients.name_of(session.client_id) if session.client_id is not None else device_name(session.user_agent)

    def sdk_view(self, token: str) -> SdkView:
        """Return what the Web SDK needs to go on with a token."""
        return SdkView(
            token=token,
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


def binding_of(request: AnyRequest) -> str | None:
    """Return what the attempts of this client are bound to: the hash of its attempt cookie, or of an app's attempt token."""
    secret = credential_of(request) or cookies.read(cookie_of(request), cookies.ATTEMPT)
    return cookies.digest(secret) if secret is not None else None
