"""Push: a page asks, the user's phone decides, the page asks how it stands."""

import secrets
from collections.abc import Sequence
from typing import Any

from litestar import Request, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal import enrolment, phones
from deploy.local.authsignal.auth import client_claims, require_tenant
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.errors import DeliveryFailed, InvalidRequest
from deploy.local.authsignal.methods.phone_routes import PublicKey, decision_route, enrolment_routes, phone_view
from deploy.local.authsignal.model import Authenticator, Challenge, Decision, PhoneKey, VerificationMethod
from deploy.local.authsignal.phone_keys import is_signed, public_key_of_query
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.webhooks import events
from deploy.local.authsignal.wire_phones import (
    DeliveryResult,
    NonceView,
    PhoneChallengeView,
    PhoneView,
    PushRequest,
    PushStatusRequest,
    PushStatusView,
    PushView,
    UpdatePushRequest,
)

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]
_METHOD = VerificationMethod.PUSH
_SIGNATURE_HEADER = "X-Authsignal-Signature"


class Push:
    """Push challenges. Nothing is pushed here: phones ask for their challenges, as they do when a person opens the app."""

    method = _METHOD

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """The page's side and the phone's side."""
        phone_side = [*enrolment_routes(_METHOD, segment="push"), decision_route(_METHOD, segment="push")]
        return [challenge, verify, *phone_side, sign_to_read, read_challenge, sign_to_update, update_phone]

    def server_channel(self) -> None:
        """None: a person decides."""


@post("/challenge/push", status_code=200)
async def challenge(request: AnyRequest, tenant: Tenancy) -> PushView:
    """Ask the user's phones."""
    claims = client_claims(request, tenant)
    body = await read_body(request, PushRequest)
    items = [item for item in tenant.verified_authenticators(claims.user_id) if item.verification_method is _METHOD]
    if not items:
        raise InvalidRequest("The user has no phone to ask.")
    pending = phones.begin(tenant, _METHOD, action_code=body.action, claims=claims)
    if body.user_authenticator_id is not None:
        items = [enrolment.require_own(tenant, claims.user_id, body.user_authenticator_id)]
        pending.authenticator_id = body.user_authenticator_id
    tenant.store.save_challenge(pending)
    url = tenant.webhooks.urls.push
    if url is not None and not await tenant.webhooks.ask(url, "push.created", events.push_created(pending)):
        tenant.store.delete_challenge(pending.challenge_id)
        raise DeliveryFailed("The provider's webhook did not take the challenge.")
    results = [DeliveryResult(user_authenticator_id=item.user_authenticator_id) for item in items]
    return PushView(challenge_id=pending.challenge_id, delivery_results=results)


@post("/verify/push", status_code=200)
async def verify(request: AnyRequest, tenant: Tenancy) -> PushStatusView:
    """How the challenge stands."""
    claims = client_claims(request, tenant)
    body = await read_body(request, PushStatusRequest)
    pending = tenant.store.challenge(body.challenge_id)
    if pending is None or pending.verification_method is not _METHOD or pending.user_id != claims.user_id:
        raise InvalidRequest("No such challenge.")
    if (pending.action_code, pending.idempotency_key) != (claims.action_code, claims.idempotency_key):
        raise InvalidRequest("The challenge belongs to another token.")
    return PushStatusView(
        is_verified=pending.decision is Decision.APPROVED,
        is_consumed=pending.decision is not None,
        access_token=phones.token_of(tenant, pending),
    )


@post("/user-authenticators/push/challenge/sign", status_code=200)
async def sign_to_read(request: AnyRequest, tenant: Tenancy, public_key: PublicKey = "") -> NonceView:
    """Give the phone something to sign before it reads its challenge."""
    require_tenant(request, tenant)
    return NonceView(message=_fresh_nonce(tenant, public_key))


@get("/user-authenticators/push/challenge")
async def read_challenge(request: AnyRequest, tenant: Tenancy, public_key: PublicKey = "") -> PhoneChallengeView:
    """The challenge that waits for this phone, if there is one."""
    require_tenant(request, tenant)
    item, key = _phone(tenant, public_key)
    signature = request.headers.get(_SIGNATURE_HEADER)
    if signature is not None:
        _require_nonce_signed(tenant, item, key, signature)
    pending = _waiting(tenant, item)
    if pending is None:
        return PhoneChallengeView()
    return PhoneChallengeView(
        challenge_id=pending.challenge_id,
        user_id=pending.user_id,
        action_code=pending.action_code,
        idempotency_key=pending.idempotency_key,
        device_id=pending.device_id,
        user_agent=pending.user_agent,
        ip_address=pending.ip_address,
        expires_at=int(pending.expires_at),
        custom=pending.custom,
    )


@post("/user-authenticators/push/sign", status_code=200)
async def sign_to_update(request: AnyRequest, tenant: Tenancy, public_key: PublicKey = "") -> NonceView:
    """Give the phone something to sign before it changes itself."""
    require_tenant(request, tenant)
    item, _ = _phone(tenant, public_key)
    return NonceView(message=_fresh_nonce(tenant, public_key), challenge_id=item.user_authenticator_id)


@patch("/user-authenticators/push")
async def update_phone(request: AnyRequest, tenant: Tenancy) -> PhoneView:
    """Change the phone's push token, or drop its expiry."""
    require_tenant(request, tenant)
    body = await read_body(request, UpdatePushRequest)
    item = phones.find(tenant, _METHOD, body.public_key)
    assert item.phone is not None, "find gives authenticators on phones only"
    if body.challenge_id != item.user_authenticator_id:
        raise InvalidRequest("No such challenge.")
    _require_nonce_signed(tenant, item, item.phone, body.signature)
    item.phone.push_token = body.push_token or item.phone.push_token
    item.phone.expires_at = None if body.reset_expiry else item.phone.expires_at
    tenant.store.save_authenticator(item)
    enrolment.announce(tenant, item, "updated")
    return phone_view(item)


def _phone(tenant: Tenant, query_key: str) -> tuple[Authenticator, PhoneKey]:
    item = phones.find(tenant, _METHOD, public_key_of_query(query_key))
    assert item.phone is not None, "find gives authenticators on phones only"
    return item, item.phone


def _fresh_nonce(tenant: Tenant, query_key: str) -> str:
    item, key = _phone(tenant, query_key)
    key.nonce = secrets.token_hex(32)
    tenant.store.save_authenticator(item)
    return key.nonce


def _require_nonce_signed(tenant: Tenant, item: Authenticator, key: PhoneKey, signature: str) -> None:
    nonce, key.nonce = key.nonce, None
    tenant.store.save_authenticator(item)  # a nonce is good for one try
    if nonce is None or not is_signed(key.public_key, nonce, signature):
        raise InvalidRequest("The signature is wrong.")


def _waiting(tenant: Tenant, item: Authenticator) -> Challenge | None:
    latest = tenant.store.latest_challenge(user_id=item.user_id, method=_METHOD)
    return latest if latest is not None and phones.may_decide(tenant, item, latest) else None
