"""
Links by e-mail.

Opening the link proves the address, on whatever device that happens. The page that asked for it learns of that by asking
again and again; it may ask for as long as its token lives, and gets its token every time.
"""

import hmac
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal.actions import claims_of, get_action
from deploy.local.authsignal.auth import client_claims
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.client_codes import answer, begin_challenge, begin_enrolment, latest_pending
from deploy.local.authsignal.delivery import deliver_mail, valid_minutes
from deploy.local.authsignal.mail import compose_link_mail
from deploy.local.authsignal.methods.mail_channel import MailChannel
from deploy.local.authsignal.model import Challenge, VerificationMethod
from deploy.local.authsignal.otp import is_open, log_challenge
from deploy.local.authsignal.scopes import ALL, parse_scope
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.views import authenticator_view
from deploy.local.authsignal.wire import (
    ClientChallengeRequest,
    ClientChallengeView,
    ClientVerifyView,
    EnrollCodeRequest,
    EnrollLinkView,
)

LINK_PATH = "/api/verify-magic-link"
AnyRequest = Request[Any, Any, Any]


class MagicLink(MailChannel):
    """Mails a link instead of a code; the Server API cannot challenge by it."""

    method = VerificationMethod.EMAIL_MAGIC_LINK
    serves: tuple[VerificationMethod, ...] = (VerificationMethod.EMAIL_MAGIC_LINK,)

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Enrol, challenge, and ask whether the link was opened."""

        @post("/user-authenticators/email-magic-link", status_code=200)
        async def enrol_by_link(request: AnyRequest, tenant: NamedDependency[Tenant]) -> EnrollLinkView:
            claims = client_claims(request, tenant)
            body = await read_body(request, EnrollCodeRequest)
            address = self.check_address(email=body.email, phone_number=None)
            view, pending = await begin_enrolment(tenant, self, claims, address)
            return EnrollLinkView(
                challenge_id=pending.challenge_id,
                user_authenticator_id=view.user_authenticator_id,
                user_id=view.user_id,
            )

        @post("/challenge/email-magic-link", status_code=200)
        async def challenge_by_link(request: AnyRequest, tenant: NamedDependency[Tenant]) -> ClientChallengeView:
            claims = client_claims(request, tenant)
            return await begin_challenge(tenant, self, claims, await read_body(request, ClientChallengeRequest))

        @post("/verify/email-magic-link/finalize", status_code=200)
        async def finalize_link(request: AnyRequest, tenant: NamedDependency[Tenant]) -> ClientVerifyView:
            claims = client_claims(request, tenant)
            await read_body(request, dict[str, Any])
            return _status(tenant, claims)

        return [enrol_by_link, challenge_by_link, finalize_link]

    def server_channel(self) -> None:
        """None: there is no code that a server could pass on."""

    def new_secret(self) -> str:
        """The end of the link."""
        return secrets.token_urlsafe(32)

    async def deliver(self, tenant: Tenant, challenge: Challenge) -> None:
        """Mail the link and put it into the outbox."""
        url = f"{tenant.settings.ui_url}{LINK_PATH}?token={quote(challenge.challenge_id)}.{quote(challenge.code)}"
        mail = compose_link_mail(
            to=challenge.address, url=url, valid_minutes=valid_minutes(tenant, challenge), sent_at=tenant.clock.now()
        )
        await deliver_mail(tenant, challenge, mail, url=url)


def _status(tenant: Tenant, claims: TokenClaims) -> ClientVerifyView:
    pending = latest_pending(tenant, VerificationMethod.EMAIL_MAGIC_LINK, claims)
    if pending is None or pending.verified_at is None or tenant.clock.now() >= pending.expires_at:
        return ClientVerifyView(is_verified=False)
    action = get_action(tenant, claims.user_id, claims.action_code, claims.idempotency_key)
    items = tenant.verified_authenticators(claims.user_id)
    proven = next((item for item in items if item.user_authenticator_id == action.verified_by_authenticator_id), None)
    return ClientVerifyView(
        is_verified=True,
        access_token=tenant.mint(claims_of(action, ALL)),
        user_authenticator=authenticator_view(proven, masked=True) if proven and pending.enrols else None,
    )


async def open_link(tenant: Tenant, token: str) -> bool:
    """
    Take the token of a link that somebody opened; opening it twice is as good as once.

    Returns:
        Whether the address is proven; False for a link that is unknown, too old, or replaced by a newer one.

    Raises:
        Vetoed: The integrator refused; the link may be opened again.
    """
    challenge_id, _, secret = token.partition(".")
    pending = tenant.store.challenge(challenge_id)
    if pending is None or pending.verification_method is not VerificationMethod.EMAIL_MAGIC_LINK:
        return False
    if not hmac.compare_digest(secret.encode(), pending.code.encode()):
        return False
    if pending.verified_at is not None:
        return True
    claims = TokenClaims(
        user_id=pending.user_id or "",
        action_code=pending.action_code,
        idempotency_key=pending.idempotency_key,
        scopes=parse_scope(" ".join(pending.scopes)),
    )
    latest = latest_pending(tenant, VerificationMethod.EMAIL_MAGIC_LINK, claims)
    is_latest = latest is not None and latest.challenge_id == challenge_id
    if not is_latest or not is_open(tenant, pending):
        log_challenge(tenant, pending, "INVALID_OR_EXPIRED")
        return False
    return await answer(tenant, pending, claims) is not None
