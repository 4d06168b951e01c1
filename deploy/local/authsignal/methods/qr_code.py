"""
QR codes: a page shows the id of a challenge, a phone scans it and decides.

The page learns of that by asking with its device code, or over the socket of `qr_socket`.
"""

import hmac
import secrets
from collections.abc import Sequence
from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal import phones
from deploy.local.authsignal.actions import check_action_code
from deploy.local.authsignal.auth import Connection, client_or_tenant, require_tenant
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.errors import InvalidRequest
from deploy.local.authsignal.methods.phone_routes import decision_route, enrolment_routes
from deploy.local.authsignal.model import Challenge, Decision, VerificationMethod
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.views import timestamp
from deploy.local.authsignal.wire_phones import (
    ClaimedView,
    QrRequest,
    QrStatusRequest,
    QrStatusView,
    QrView,
    SignedChallengeRequest,
)

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]
_METHOD = VerificationMethod.QR_CODE


class QrCode:
    """QR challenges, with a token or without one."""

    method = _METHOD

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """The page's side and the phone's side."""
        phone_side = [*enrolment_routes(_METHOD, segment="qr-code"), decision_route(_METHOD, segment="qr-code")]
        return [challenge, verify, *phone_side, claim]

    def server_channel(self) -> None:
        """None: a person decides."""


def begin(
    tenant: Tenant, connection: Connection, claims: TokenClaims | None, action_code: str, custom: dict[str, Any] | None
) -> Challenge:
    """
    A QR challenge, stored.

    Args:
        tenant: The tenant.
        connection: The page's; its address and browser are shown on the phone.
        claims: Of the page's token, if it has one; action and custom data are then those of the tracked action.
        action_code: What it is for.
        custom: Data points, for a page without a token.

    Raises:
        InvalidRequest: The action is malformed or not the tracked one, or a page with a token sends custom data.
    """
    if claims is not None and custom is not None:
        raise InvalidRequest("custom must be left out: it is taken from the tracked action.")
    pending = phones.begin(
        tenant,
        _METHOD,
        action_code=check_action_code(action_code),
        claims=claims,
        ip_address=connection.client.host if connection.client else None,
        user_agent=connection.headers.get("user-agent"),
    )
    pending.custom = custom if claims is None else pending.custom
    pending.device_code = secrets.token_urlsafe(24)
    tenant.store.save_challenge(pending)
    return pending


@post("/challenge/qr-code", status_code=200)
async def challenge(request: AnyRequest, tenant: Tenancy) -> QrView:
    """Begin one, to be asked about."""
    claims = client_or_tenant(request, tenant)
    body = await read_body(request, QrRequest)
    pending = begin(tenant, request, claims, body.action, body.custom)
    return QrView(
        challenge_id=pending.challenge_id,
        device_code=pending.device_code or "",
        expires_at=timestamp(pending.expires_at),
    )


@post("/verify/qr-code", status_code=200)
async def verify(request: AnyRequest, tenant: Tenancy) -> QrStatusView:
    """How it stands."""
    require_tenant(request, tenant)
    body = await read_body(request, QrStatusRequest)
    pending = tenant.store.challenge(body.challenge_id)
    if pending is None or not hmac.compare_digest((pending.device_code or "").encode(), body.device_code.encode()):
        raise InvalidRequest("No such challenge.")
    return QrStatusView(
        is_claimed=pending.claimed_at is not None,
        is_verified=pending.decision is Decision.APPROVED,
        is_consumed=pending.decision is not None,
        access_token=phones.token_of(tenant, pending),
    )


@post("/user-authenticators/qr-code/challenge/claim", status_code=200)
async def claim(request: AnyRequest, tenant: Tenancy) -> ClaimedView:
    """A phone scanned the code."""
    require_tenant(request, tenant)
    pending = phones.claim(tenant, await read_body(request, SignedChallengeRequest))
    return ClaimedView(
        success=True,
        action_code=pending.action_code,
        idempotency_key=pending.idempotency_key,
        ip_address=pending.ip_address,
        user_agent=pending.user_agent,
        custom=pending.custom,
    )
