"""
Who is calling.

The Server API takes Basic with a secret key, from anywhere but a browser. The Client API takes a client token as
Bearer, or, where no token is needed, Basic with the public tenant id.
"""

import base64
import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from deploy.local.authsignal.errors import InvalidToken, Unauthorized
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims

Connection = ASGIConnection[Any, Any, Any, Any]


def basic_user(authorization: str) -> str | None:
    """
    The user name of a Basic header, in every form that SDKs send.

    Server SDKs and phones append the colon of RFC 7617, the browser SDK does not; phones use the URL-safe alphabet
    without padding. Returns None if it is not a Basic header or not base64.
    """
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    value = value.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8")
    except ValueError:
        return None
    return decoded.partition(":")[0]


def require_secret_key(connection: Connection, _: BaseRouteHandler) -> None:
    """
    Guard of the Server API.

    Raises:
        Unauthorized: No Basic header, or its user name is none of the active secret keys.
    """
    tenant: Tenant = connection.app.state["tenant"]
    given = (basic_user(connection.headers.get("authorization", "")) or "").encode()
    if not any(hmac.compare_digest(given, key.encode()) for key in tenant.settings.secret_keys):
        raise Unauthorized


def client_claims(connection: Connection, tenant: Tenant) -> TokenClaims:
    """
    Read the client token of a request, and check that the action it belongs to still exists.

    Raises:
        InvalidToken: None was sent, it is not ours, or the user was deleted since.
        ExpiredToken: It is past its life.
    """
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken("This call needs a client token.")
    return read_claims(tenant, token.strip())


def read_claims(tenant: Tenant, token: str) -> TokenClaims:
    """
    Read a client token, and check that the action it belongs to still exists.

    Raises:
        InvalidToken: It is not ours, or the user was deleted since.
        ExpiredToken: It is past its life.
    """
    claims = tenant.tokens.read(token, now=tenant.clock.now())
    if tenant.store.action(claims.user_id, claims.action_code, claims.idempotency_key) is None:
        raise InvalidToken("The token belongs to an action that no longer exists.")
    return claims


def require_tenant(connection: Connection, tenant: Tenant) -> None:
    """
    Let in who names the tenant: browsers and phones that have no token yet.

    Raises:
        Unauthorized: No Basic header, or another tenant's id.
    """
    if basic_user(connection.headers.get("authorization", "")) != tenant.settings.tenant_id:
        raise Unauthorized


def client_or_tenant(connection: Connection, tenant: Tenant) -> TokenClaims | None:
    """
    Read the client token of a request, or None if it names the tenant instead.

    Raises:
        InvalidToken: The token is not ours.
        ExpiredToken: The token is past its life.
        Unauthorized: Neither a token nor the tenant's id.
    """
    scheme = connection.headers.get("authorization", "").partition(" ")[0].lower()
    if scheme == "bearer":
        return client_claims(connection, tenant)
    require_tenant(connection, tenant)
    return None
