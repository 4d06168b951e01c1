"""
Refresh tokens, as AWS treats them.

* AWS rotates a refresh token when the app client asks for it, refuses a used one after the grace period with
  ``RefreshTokenReuseException``, and refuses REFRESH_TOKEN_AUTH for such a client. ministack drops the setting, in the
  API and in CloudFormation, and never rotates.
* AWS's refreshed tokens keep the ``auth_time`` of the sign-in; ministack's say that the person signed in just now.
* AWS's RevokeToken takes refresh tokens only; ministack takes any token, and answers that it was revoked.

Used tokens are remembered in memory, so a restart forgets which were used.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import cognito
from ministack.services.cloudformation import provisioners

from deploy.local.emulator.wrapping import Answer, Handler, body_of, refusal, success, wrap

_FLOWS = {"REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"}
# Token id -> the time, in seconds since the epoch, after which using it again is reuse.
_used: dict[str, float] = {}
# When the person signed in whose token is being refreshed, in seconds since the epoch. Each request has a context of its own.
_signed_in_at: ContextVar[int | None] = ContextVar("signed_in_at", default=None)


def apply() -> None:
    """Put the corrections in place."""
    wrap(cognito, "_create_user_pool_client", _keep_rotation)
    wrap(cognito, "_update_user_pool_client", _keep_rotation)
    # CloudFormation copies only the properties on this list; the value is what a dropped property goes back to.
    provisioners._COGNITO_USER_POOL_CLIENT_UPDATABLE["RefreshTokenRotation"] = None
    wrap(cognito, "_signed_jwt", _signed_jwt)
    wrap(cognito, "_initiate_auth", _initiate_auth)
    wrap(cognito, "_get_tokens_from_refresh_token", _get_tokens)
    wrap(cognito, "_revoke_token", _revoke_token)


def _keep_rotation(original: Handler, data: dict[str, Any]) -> Answer:
    answer = original(data)
    if answer[0] != 200 or "RefreshTokenRotation" not in data:
        return answer
    body = body_of(answer)
    client = cognito._user_pools[data["UserPoolId"]]["_clients"][body["UserPoolClient"]["ClientId"]]
    client["RefreshTokenRotation"] = data["RefreshTokenRotation"]
    if data["RefreshTokenRotation"]:
        body["UserPoolClient"]["RefreshTokenRotation"] = data["RefreshTokenRotation"]
    return success(body)


def _rotation(pool: dict[str, Any], client_id: str) -> dict[str, Any] | None:
    setting: dict[str, Any] = (pool["_clients"].get(client_id) or {}).get("RefreshTokenRotation") or {}
    return setting if setting.get("Feature") == "ENABLED" else None


def _initiate_auth(original: Handler, data: dict[str, Any]) -> Answer:
    if data.get("AuthFlow") in _FLOWS:
        pool, _ = cognito._pool_for_client(data.get("ClientId"))
        if pool is not None and _rotation(pool, data["ClientId"]):
            return refusal(
                "InvalidParameterException",
                "Refresh token rotation is enabled for this client; use GetTokensFromRefreshToken.",
            )
    return original(data)


def _get_tokens(original: Handler, data: dict[str, Any]) -> Answer:
    client_id, token = data.get("ClientId", ""), data.get("RefreshToken")
    pool, pool_id = cognito._pool_for_client(client_id)
    if pool is None or not token:
        return original(data)
    wrong_secret = _secret_problem(pool["_clients"][client_id], data.get("ClientSecret"))
    if wrong_secret is not None:
        return wrong_secret
    rotation = _rotation(pool, client_id)
    claims = cognito._token_claims(token)
    remembered = _signed_in_at.set(claims.get("auth_time") or claims.get("iat"))
    try:
        return _rotated(pool, pool_id, data, rotation) if rotation else original(data)
    finally:
        _signed_in_at.reset(remembered)


def _signed_jwt(original: Callable[..., str], claims: dict[str, Any], *rest: Any) -> str:
    # The refresh token carries the time too: AWS's is opaque, so what it holds is nobody's business.
    return original({**claims, "auth_time": _signed_in_at.get() or claims["iat"]}, *rest)


def _secret_problem(client: dict[str, Any], sent: object) -> Answer | None:
    # AWS wants the secret itself in this call, not a hash; ministack does not look at it.
    if client.get("ClientSecret") and sent != client["ClientSecret"]:
        return refusal("NotAuthorizedException", "Client secret does not match.")
    return None


def _rotated(pool: dict[str, Any], pool_id: str, data: dict[str, Any], rotation: dict[str, Any]) -> Answer:
    client_id, token = data["ClientId"], data["RefreshToken"]
    claims = cognito._token_claims(token)
    token_id = claims.get("jti") or token
    if time.time() > _used.get(token_id, float("inf")):
        return refusal("RefreshTokenReuseException", "Refresh token has been used already.")
    result, error = cognito._refresh_auth_result(pool, pool_id, client_id, token)
    if error:
        failed: Answer = error
        return failed
    _used.setdefault(token_id, time.time() + float(rotation.get("RetryGracePeriodSeconds") or 0))
    user, _ = cognito._refresh_auth_user(pool, pool_id, client_id, token)
    sub = cognito._attr_list_to_dict(user["Attributes"])["sub"]
    mint: Callable[..., str] = cognito._fake_token
    result["RefreshToken"] = mint(
        sub, pool_id, client_id, "refresh", origin_jti=claims.get("origin_jti", ""), scope=claims.get("scope")
    )
    return success({"AuthenticationResult": result})


def _revoke_token(original: Handler, data: dict[str, Any]) -> Answer:
    if cognito._token_claims(data.get("Token", "")).get("token_use") != "refresh":
        return refusal("UnsupportedTokenTypeException", "Unsupported token type.")
    return original(data)
