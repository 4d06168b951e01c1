"""
Passkeys.

Signing in needs no token: the credential says whose it is, and the action is made for them then, by the rules. The `/web`
variants bind the ceremony to a cookie: only the browser that began it can finish it.
"""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from deploy.local.authsignal import enrolment, webauthn_challenges, webauthn_party
from deploy.local.authsignal.actions import check_action_code, get_action, new_action
from deploy.local.authsignal.auth import client_claims, client_or_tenant, require_tenant
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.errors import InvalidRequest, NotFound
from deploy.local.authsignal.model import Action, Authenticator, Challenge, ChallengeOrigin, VerificationMethod
from deploy.local.authsignal.otp import is_open, new_challenge, use_up
from deploy.local.authsignal.proofs import record_proof, require_consent
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.views import authenticator_view, timestamp
from deploy.local.authsignal.wire import (
    AnonymousChallengeRequest,
    AvailableView,
    ClientChallengeView,
    OptionsView,
    PasskeyOptionsRequest,
    PasskeyRegisteredView,
    PasskeyVerifiedView,
    RegisterPasskeyRequest,
    RegistrationOptionsRequest,
    TrackRequest,
    VerifyPasskeyRequest,
)

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]
_METHOD = VerificationMethod.PASSKEY
_COOKIE = "__as_challenge"


class Passkey:
    """Passkeys: added with a token, used with or without one."""

    method = _METHOD

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Registration, authentication, availability, and the challenge that names an action first."""
        return [
            begin_anonymous,
            begin_anonymous_web,
            registration_options,
            registration_options_web,
            register,
            authentication_options,
            authentication_options_web,
            verify,
            is_available,
        ]

    def server_channel(self) -> None:
        """None: only a browser can sign."""


@post("/challenge", status_code=200)
async def begin_anonymous(request: AnyRequest, tenant: Tenancy) -> ClientChallengeView:
    """Name the action that a sign-in without a token is for."""
    return ClientChallengeView(challenge_id=(await _begin_anonymous(request, tenant)).challenge_id)


@post("/challenge/web", status_code=200)
async def begin_anonymous_web(request: AnyRequest, tenant: Tenancy) -> Response[ClientChallengeView]:
    """The same, bound to a cookie."""
    pending = await _begin_anonymous(request, tenant)
    return _bound(tenant, pending, ClientChallengeView(challenge_id=pending.challenge_id))


@post("/user-authenticators/passkey/registration-options", status_code=200)
async def registration_options(request: AnyRequest, tenant: Tenancy) -> OptionsView:
    """Begin to add a passkey."""
    return (await _begin_registration(request, tenant))[1]


@post("/user-authenticators/passkey/registration-options/web", status_code=200)
async def registration_options_web(request: AnyRequest, tenant: Tenancy) -> Response[OptionsView]:
    """The same, bound to a cookie."""
    pending, view = await _begin_registration(request, tenant)
    return _bound(tenant, pending, view)


@post("/user-authenticators/passkey", status_code=200)
async def register(request: AnyRequest, tenant: Tenancy) -> PasskeyRegisteredView:
    """Add the passkey that the browser made."""
    claims = client_claims(request, tenant)
    body = await read_body(request, RegisterPasskeyRequest)
    pending = webauthn_challenges.require_open(tenant, body.challenge_id, _METHOD, claims, enrols=True)
    _require_cookie(request, pending)
    item, token = await webauthn_challenges.register(
        tenant,
        pending,
        claims,
        body.registration_credential,
        user_agent=request.headers.get("user-agent"),
        is_conditional=body.conditional_create,
    )
    return PasskeyRegisteredView(
        is_verified=True,
        access_token=token,
        user_authenticator_id=item.user_authenticator_id,
        user_id=item.user_id,
        user_authenticator=authenticator_view(item, masked=True),
    )


@post("/user-authenticators/passkey/authentication-options", status_code=200)
async def authentication_options(request: AnyRequest, tenant: Tenancy) -> OptionsView:
    """Begin to sign: for the user of the token, or for whoever holds a passkey."""
    claims = client_or_tenant(request, tenant)
    body = await read_body(request, PasskeyOptionsRequest)
    if claims is not None:
        pending = webauthn_challenges.begin(tenant, _METHOD, claims, enrols=False)
    elif body.challenge_id is not None:
        pending = _named(tenant, body.challenge_id)
        _require_cookie(request, pending)
        webauthn_challenges.arm(tenant, pending)
    else:
        pending = webauthn_challenges.arm(tenant, _anonymous(tenant, tenant.tunables.anonymous_action))
    return _request_options(tenant, pending, username=body.username)


@post("/user-authenticators/passkey/authentication-options/web", status_code=200)
async def authentication_options_web(request: AnyRequest, tenant: Tenancy) -> Response[OptionsView]:
    """Begin to sign without naming an action first, bound to a cookie."""
    require_tenant(request, tenant)
    await read_body(request, PasskeyOptionsRequest)
    pending = _anonymous(tenant, tenant.tunables.anonymous_action)
    pending.is_cookie_bound = True
    return _bound(tenant, pending, _request_options(tenant, webauthn_challenges.arm(tenant, pending)))


@post("/verify/passkey", status_code=200)
async def verify(request: AnyRequest, tenant: Tenancy) -> PasskeyVerifiedView:
    """Check a signature."""
    claims = client_or_tenant(request, tenant)
    body = await read_body(request, VerifyPasskeyRequest)
    pending = webauthn_challenges.require_open(tenant, body.challenge_id, _METHOD, claims, enrols=False)
    _require_cookie(request, pending)
    user_id = claims.user_id if claims else None
    item = webauthn_challenges.find_credential(tenant, pending, body.authentication_credential, user_id=user_id)
    action = _action(tenant, pending, claims, item, body.device_id, request.headers.get("user-agent"))
    token = await _accept(tenant, pending, action, item, body.device_id)
    return PasskeyVerifiedView(
        is_verified=True,
        access_token=token,
        user_id=item.user_id,
        user_authenticator_id=item.user_authenticator_id,
        username=item.username,
        user_display_name=item.display_name,
    )


@get("/user-authenticators/passkey")
async def is_available(
    request: AnyRequest,
    tenant: Tenancy,
    credential_ids: Annotated[str, QueryParameter(name="credentialIds")] = "",
    credential_id: Annotated[str, QueryParameter(name="credentialId")] = "",
) -> AvailableView:
    """Whether one of the passkeys that a device remembers is still good."""
    require_tenant(request, tenant)
    for wanted in (*credential_ids.split(","), credential_id):
        found = tenant.store.authenticator_by_lookup(wanted) if wanted else None
        if found is not None and found.verification_method is _METHOD and found.verified_at is not None:
            return AvailableView(credential_id=wanted, verified_at=timestamp(found.verified_at))
    raise NotFound("No such passkey.")


async def _begin_anonymous(request: AnyRequest, tenant: Tenant) -> Challenge:
    require_tenant(request, tenant)
    body = await read_body(request, AnonymousChallengeRequest)
    pending = _anonymous(tenant, check_action_code(body.action), body.idempotency_key)
    pending.is_cookie_bound = request.url.path.endswith("/web")
    pending.expires_at = tenant.clock.now() + tenant.tunables.token_duration_seconds
    tenant.store.save_challenge(pending)
    return pending


def _anonymous(tenant: Tenant, action_code: str, idempotency_key: str | None = None) -> Challenge:
    return new_challenge(
        tenant,
        origin=ChallengeOrigin.CLIENT,
        method=_METHOD,
        action_code=action_code,
        idempotency_key=idempotency_key or str(uuid.uuid4()),
        user_id=None,
    )


def _named(tenant: Tenant, challenge_id: str) -> Challenge:
    pending = tenant.store.challenge(challenge_id)
    is_usable = pending is not None and pending.user_id is None and pending.verification_method is _METHOD
    if pending is None or not is_usable or not is_open(tenant, pending):
        raise InvalidRequest("No such challenge, or it is over; start again.")
    return pending


async def _begin_registration(request: AnyRequest, tenant: Tenant) -> tuple[Challenge, OptionsView]:
    claims = client_claims(request, tenant)
    body = await read_body(request, RegistrationOptionsRequest)
    pending = webauthn_challenges.begin(tenant, _METHOD, claims, enrols=True)
    if request.url.path.endswith("/web"):
        pending.is_cookie_bound = True
        tenant.store.save_challenge(pending)
    user = tenant.user_or_new(claims.user_id)
    name = body.username or user.username or user.email or user.phone_number or claims.user_id
    if body.username and body.username != user.username:
        user.username = body.username
        tenant.store.save_user(user)
    selection: dict[str, Any] = {"residentKey": "required", "requireResidentKey": True, "userVerification": "preferred"}
    if body.authenticator_attachment:
        selection["authenticatorAttachment"] = body.authenticator_attachment
    options = webauthn_party.creation_options(
        tenant.settings,
        challenge=pending.webauthn_challenge or "",
        user_id=claims.user_id,
        name=name,
        display_name=body.display_name or user.display_name or name,
        exclude=webauthn_challenges.credentials_of(tenant, claims.user_id, _METHOD),
        selection=selection,
    )
    return pending, OptionsView(challenge_id=pending.challenge_id, options=options)


def _request_options(tenant: Tenant, pending: Challenge, *, username: str | None = None) -> OptionsView:
    user_id = pending.user_id
    if user_id is None and username:
        found = tenant.store.users(username=username, limit=1)
        user_id = found[0].user_id if found else None
    allow = webauthn_challenges.credentials_of(tenant, user_id, _METHOD) if user_id else []
    options = webauthn_party.request_options(tenant.settings, challenge=pending.webauthn_challenge or "", allow=allow)
    return OptionsView(challenge_id=pending.challenge_id, options=options)


def _action(
    tenant: Tenant,
    pending: Challenge,
    claims: TokenClaims | None,
    item: Authenticator,
    device_id: str | None,
    user_agent: str | None,
) -> Action:
    key = pending.idempotency_key
    if claims is not None:
        return get_action(tenant, claims.user_id, claims.action_code, key)
    known = tenant.store.action(item.user_id, pending.action_code, key)
    if known is not None:
        return known
    with tenant.store.transaction():
        user = tenant.user_or_new(item.user_id)
        tenant.store.save_user(user)
        visit = TrackRequest(device_id=device_id, user_agent=user_agent)
        return new_action(tenant, user, pending.action_code, key, visit)


async def _accept(tenant: Tenant, pending: Challenge, action: Action, item: Authenticator, device_id: str | None) -> str:
    await require_consent(tenant, action, _METHOD, item.user_authenticator_id)
    with tenant.store.transaction():
        if not use_up(tenant, pending):
            raise InvalidRequest("The challenge is over; start again.")
        if item.webauthn is not None:
            item.webauthn.device_id = device_id or item.webauthn.device_id
        enrolment.record_verified(tenant, item)
        fresh = get_action(tenant, action.user_id, action.action_code, action.idempotency_key)
        return record_proof(tenant, fresh, _METHOD, item.user_authenticator_id, device_id=device_id)


def _bound(tenant: Tenant, pending: Challenge, view: Any) -> Response[Any]:
    cookie = Cookie(
        key=_COOKIE,
        value=pending.challenge_id,
        path="/v1/client",
        max_age=tenant.tunables.token_duration_seconds,
        httponly=True,
        samesite="lax",
        secure=tenant.settings.ui_url.startswith("https:"),
    )
    return Response(view, status_code=200, cookies=[cookie])


def _require_cookie(request: AnyRequest, pending: Challenge) -> None:
    if pending.is_cookie_bound and request.cookies.get(_COOKIE) != pending.challenge_id:
        raise InvalidRequest("The challenge was begun by another browser.")
