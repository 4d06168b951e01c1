"""
What people may write about themselves, as AWS limits it.

* AWS lets an app client write the attributes on its list alone, and nobody but an administrator ``email_verified``, in SignUp
  and in UpdateUserAttributes; ministack takes whatever it is given.
* In a pool that wants a changed address verified first, AWS keeps the old one until then and mails a code; ministack changes
  the address at once, and goes on calling it verified.
"""

from typing import Any

from ministack.services import cognito

from deploy.local.emulator.wrapping import Answer, Handler, refusal, success, wrap

_UNAUTHORIZED = ("NotAuthorizedException", "A client attempted to write unauthorized attribute.")
_NEVER = {"sub", "email_verified", "phone_number_verified"}


def apply() -> None:
    """Put the corrections in place."""
    wrap(cognito, "_sign_up", _sign_up)
    wrap(cognito, "_update_user_attributes", _update)


def _sign_up(original: Handler, data: dict[str, Any]) -> Answer:
    pool, _ = cognito._pool_for_client(data.get("ClientId"))
    return refusal(*_UNAUTHORIZED) if _is_too_much(pool, data.get("ClientId"), data) else original(data)


def _update(original: Handler, data: dict[str, Any]) -> Answer:
    claims = cognito._token_claims(data.get("AccessToken") or "")
    pool, _ = cognito._pool_for_client(claims.get("client_id"))
    if _is_too_much(pool, claims.get("client_id"), data):
        return refusal(*_UNAUTHORIZED)
    waiting = _to_be_verified(pool) & set(_names(data))
    attributes = [given for given in data.get("UserAttributes") or [] if given.get("Name") not in waiting]
    answer = original({**data, "UserAttributes": attributes})
    if answer[0] != 200 or not waiting:
        return answer
    details = [{"AttributeName": name, "DeliveryMedium": "EMAIL", "Destination": "***"} for name in sorted(waiting)]
    return success({"CodeDeliveryDetailsList": details})


def _is_too_much(pool: dict[str, Any] | None, client_id: str | None, data: dict[str, Any]) -> bool:
    if pool is None:
        return False
    writable = (pool["_clients"].get(client_id) or {}).get("WriteAttributes")
    return any(name in _NEVER or (writable and name not in writable) for name in _names(data))


def _to_be_verified(pool: dict[str, Any] | None) -> set[str]:
    settings = (pool or {}).get("UserAttributeUpdateSettings") or {}
    return set(settings.get("AttributesRequireVerificationBeforeUpdate") or ())


def _names(data: dict[str, Any]) -> list[str]:
    return [str(given.get("Name")) for given in data.get("UserAttributes") or []]
