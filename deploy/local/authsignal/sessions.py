"""
Sessions of the Server API.

1. A session begins with a token whose action succeeded.
2. Refreshing gives two new tokens and makes the ones before worthless.
3. Revoking ends one session, or all of a user's, at once for whoever asks here.
"""

import hashlib
import hmac
import secrets
import uuid

from deploy.local.authsignal import session_tokens
from deploy.local.authsignal.actions import get_action
from deploy.local.authsignal.errors import InvalidRequest, InvalidSession, NotFound
from deploy.local.authsignal.model import ActionState, Session, SigningKey
from deploy.local.authsignal.session_tokens import AccessClaims
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.wire_sessions import (
    CreateSessionRequest,
    SessionTokensView,
    SessionUserView,
    SessionView,
    ValidateSessionRequest,
)

_KEY = "session"
_ID_LENGTH = 32  # a session id without hyphens, in front of the refresh token's secret


def create(tenant: Tenant, request: CreateSessionRequest) -> SessionTokensView:
    """
    Begin a session.

    Raises:
        InvalidRequest: The client id is missing, or the token's action is another one or has not succeeded.
        InvalidToken: The token is not ours.
        ExpiredToken: The token is past its life.
    """
    if not request.client_id:
        raise InvalidRequest("clientId is required.")
    claims = tenant.tokens.read(request.token, now=tenant.clock.now())
    try:
        action = get_action(tenant, claims.user_id, claims.action_code, claims.idempotency_key)
    except NotFound as error:
        raise InvalidRequest("The token belongs to an action that no longer exists.") from error
    if request.action is not None and request.action != action.action_code:
        raise InvalidRequest("The token is for another action.")
    if action.state is not ActionState.CHALLENGE_SUCCEEDED or action.verification_method is None:
        raise InvalidRequest("The token's challenge has not succeeded.")
    session = Session(
        session_id=uuid.uuid4().hex,
        user_id=action.user_id,
        client_id=request.client_id,
        access_id="",
        refresh_hash="",
        verification_method=action.verification_method,
        created_at=tenant.clock.now(),
        access_expires_at=0,
        refresh_expires_at=0,
    )
    return _issue(tenant, session)


def validate(tenant: Tenant, request: ValidateSessionRequest) -> SessionView:
    """
    Whose session an access token belongs to.

    Raises:
        InvalidSession: It is not ours, expired, replaced, revoked, or of a client that is not asked for.
    """
    session = _require_live(tenant, request.access_token)
    if request.client_ids is not None and session.client_id not in request.client_ids:
        raise InvalidSession
    user = tenant.user_or_new(session.user_id)
    return SessionView(
        user=SessionUserView(
            user_id=user.user_id,
            email=user.email,
            email_verified=user.email_verified,
            phone_number=user.phone_number,
            phone_number_verified=user.phone_number_verified,
            username=user.username,
            display_name=user.display_name,
            custom=user.custom,
        ),
        expires_at=int(session.access_expires_at),
        verification_method=session.verification_method,
    )


def refresh(tenant: Tenant, refresh_token: str) -> SessionTokensView:
    """
    Give two new tokens.

    Raises:
        InvalidSession: The refresh token is not the newest of a live session, or is past its life.
    """
    session = tenant.store.sessions.get(refresh_token[:_ID_LENGTH])
    is_newest = session is not None and hmac.compare_digest(session.refresh_hash, _hash(refresh_token))
    if session is None or not is_newest or session.revoked_at or tenant.clock.now() >= session.refresh_expires_at:
        raise InvalidSession
    return _issue(tenant, session)


def revoke(tenant: Tenant, access_token: str) -> None:
    """
    End the session of an access token.

    Raises:
        InvalidSession: It is not a live session's.
    """
    _end(tenant, _require_live(tenant, access_token))


def revoke_all(tenant: Tenant, user_id: str) -> None:
    """End every session of a user."""
    with tenant.store.transaction():
        for session in tenant.store.sessions.all(user_id=user_id):
            if session.revoked_at is None:
                _end(tenant, session)


def jwks(tenant: Tenant) -> dict[str, list[dict[str, str]]]:
    """The public key of the tenant's access tokens."""
    return session_tokens.jwks(_signing_key(tenant))


def _issue(tenant: Tenant, session: Session) -> SessionTokensView:
    now, limits = tenant.clock.now(), tenant.tunables
    refresh_token = session.session_id + secrets.token_hex(32)
    session.access_id, session.refresh_hash = str(uuid.uuid4()), _hash(refresh_token)
    session.access_expires_at = now + limits.session_access_seconds
    session.refresh_expires_at = now + limits.session_refresh_seconds
    tenant.store.sessions.save(session.session_id, session, user_id=session.user_id)
    claims = AccessClaims(
        session_id=session.session_id,
        access_id=session.access_id,
        user_id=session.user_id,
        client_id=session.client_id,
        expires_at=session.access_expires_at,
    )
    email = tenant.user_or_new(session.user_id).email
    key, issuer = _signing_key(tenant), tenant.settings.issuer
    access_token = session_tokens.mint(key, claims, issuer=issuer, now=now, email=email)
    return SessionTokensView(access_token=access_token, refresh_token=refresh_token)


def _require_live(tenant: Tenant, access_token: str) -> Session:
    claims = session_tokens.read(_signing_key(tenant), access_token, issuer=tenant.settings.issuer)
    session = tenant.store.sessions.get(claims.session_id) if claims else None
    if claims is None or session is None or session.revoked_at is not None:
        raise InvalidSession
    if session.access_id != claims.access_id or tenant.clock.now() >= session.access_expires_at:
        raise InvalidSession
    return session


def _end(tenant: Tenant, session: Session) -> None:
    session.revoked_at = tenant.clock.now()
    tenant.store.sessions.save(session.session_id, session, user_id=session.user_id)


def _signing_key(tenant: Tenant) -> SigningKey:
    key = tenant.store.signing_keys.get(_KEY)
    if key is None:
        key = session_tokens.new_signing_key()
        tenant.store.signing_keys.save(_KEY, key)
    return key


def _hash(refresh_token: str) -> str:
    return hashlib.sha256(refresh_token.encode()).hexdigest()
