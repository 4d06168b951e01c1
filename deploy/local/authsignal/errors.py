"""
Errors of both APIs.

Every error body carries three keys, because each SDK reads another one: Node takes the code from `error`, Python from
`errorCode`, and the browser recognises an error by the presence of `error` alone. That holds for the answers the
framework gives by itself (404, 405, 413, 500) as well.
"""

import logging
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

_log = logging.getLogger(__name__)

_FRAMEWORK_CODES = {404: "not_found", 405: "method_not_allowed"}


class ApiError(Exception):
    """An answer that is not a success: status, stable code, and words for the developer who reads it."""

    status = 400
    code = "invalid_request"

    def __init__(self, description: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.retry_after_seconds = retry_after_seconds


class InvalidRequest(ApiError):
    """A parameter is missing, of the wrong type, or means nothing here."""


class Unauthorized(ApiError):
    """The secret key is wrong. The words are the service's own, which callers compare."""

    status = 401
    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__("The request is unauthorized. Check that your API key and region base URL are correctly configured.")


class InvalidToken(ApiError):
    """A client token that this tenant did not sign, or whose action is gone."""

    status = 401
    code = "invalid_token"


class ExpiredToken(ApiError):
    """A client token past its life."""

    status = 401
    code = "expired_token"

    def __init__(self) -> None:
        super().__init__("The token has expired.")


class MissingScope(ApiError):
    """The token does not let its bearer add a factor."""

    status = 403


class NotFound(ApiError):
    """No such object."""

    status = 404
    code = "not_found"


class TooManyRequests(ApiError):
    """A sending limit is reached."""

    status = 429
    code = "too_many_requests"


class AuthenticatorNotFound(ApiError):
    """The tenant has no verification method switched on; the code is upper-case in the service too."""

    code = "AUTHENTICATOR_NOT_FOUND"


class InvalidCredential(ApiError):
    """A passkey or security key that is not known, not this user's, or whose signature is wrong."""

    code = "invalid_credential"


class InvalidSession(ApiError):
    """A session token that is not ours, too old, replaced or revoked; which of them is not said."""

    status = 401
    code = "invalid_token"

    def __init__(self) -> None:
        super().__init__("The session is invalid.")


class Vetoed(ApiError):
    """The integrator's `action.verify` webhook did not agree: nothing changed, and the user may try again."""

    def __init__(self) -> None:
        super().__init__("The action's verification webhook refused, or did not answer; try again.")


class DeliveryFailed(ApiError):
    """The message could not be handed to the mail server or webhook; nothing was sent and nothing is pending."""

    status = 500
    code = "unexpected_error"


def error_body(code: str, description: str) -> dict[str, str]:
    """The three keys."""
    return {"error": code, "errorCode": code, "errorDescription": description}


def answer_api_error(_: Request[Any, Any, Any], error: ApiError) -> Response[dict[str, str]]:
    """Encode one of our own errors."""
    retry = error.retry_after_seconds
    headers = {} if retry is None else {"retry-after": str(retry)}
    return Response(error_body(error.code, error.description), status_code=error.status, headers=headers)


def answer_http_error(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, str]]:
    """Encode an error that the framework raised."""
    code = _FRAMEWORK_CODES.get(error.status_code, "invalid_request")
    if error.status_code >= 500:
        code = "unexpected_error"
    return Response(error_body(code, error.detail or code), status_code=error.status_code)


def answer_unexpected(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
    """Encode a fault of the simulator itself, and leave its trace in the log."""
    _log.error("request failed unexpectedly", exc_info=error)
    return Response(error_body("unexpected_error", "The simulator failed; its log has the trace."), status_code=500)
