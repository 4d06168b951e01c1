"""
Authsignal's side of a sign-in by e-mail code: track, challenge, verify, claim, validate.

Nothing is kept between calls: a challenge id carries action, key and address, and the token of a claim carries the person too.
So validate echoes what the proof was really made for, and a caller that compares has something to compare.
"""

from typing import Any, Final

import msgspec

from benchmarks.stubs.tokens import claims_of, hmac_token

GOOD_CODE: Final = "135790"
_LATE: Final = 4_000_000_000
_decode = msgspec.json.Decoder(dict[str, Any]).decode
Json = dict[str, Any]


def answer(path: str, body: bytes) -> tuple[str, Json]:
    """Return the operation that a path below ``/v1`` names, and its answer."""
    given = _decode(body)
    if path.startswith("/users/"):
        _, _, user_id, _, action = path.split("/")
        return "track", _track(user_id, action, given)
    operation = path[1:]
    return operation, _OPERATIONS[operation](given)


def _track(user_id: str, action: str, given: Json) -> Json:
    key = given["idempotencyKey"]
    claims = {
        "iat": _LATE - 600,
        "exp": _LATE,
        "aud": "https://challenge.authsignal.example",
        "sub": user_id,
        "scope": "read:authenticators add:authenticators",
        "other": {
            "tenantId": "8f9c1a52-0000-4000-8000-000000000000",
            "userId": user_id,
            "actionCode": action,
            "idempotencyKey": key,
            "publishableKey": "8f9c1a52-0000-4000-8000-000000000000",
        },
    }
    token = hmac_token(claims)
    return {
        "state": "CHALLENGE_REQUIRED",
        "idempotencyKey": key,
        "url": f"https://challenge.authsignal.example/?token={token}",
        "token": token,
        "isEnrolled": True,
        "userId": user_id,
        "actionCode": action,
        "enrolledVerificationMethods": ["EMAIL_OTP"],
        "allowedVerificationMethods": ["EMAIL_OTP"],
        "ruleIds": [],
    }


def _challenge(given: Json) -> Json:
    key = given["idempotencyKey"]
    return {
        "challengeId": "~".join((given["action"], key, given["email"])),
        "idempotencyKey": key,
        "expiresAt": _LATE,
    }


def _verify(given: Json) -> Json:
    if given["verificationCode"] != GOOD_CODE:
        return {"isVerified": False, "failureReason": "CODE_INVALID_OR_EXPIRED"}
    address = given["challengeId"].split("~")[2]
    return {"isVerified": True, "email": address, "verificationMethod": "EMAIL_OTP"}


def _claim(given: Json) -> Json:
    action, key, _ = given["challengeId"].split("~")
    claims = {"iat": _LATE - 600, "exp": _LATE, "sub": given["userId"], "actionCode": action, "idempotencyKey": key}
    return {"token": hmac_token(claims), "verificationMethod": "EMAIL_OTP"}


def _validate(given: Json) -> Json:
    claims = claims_of(given["token"])
    if given.get("userId") != claims["sub"]:
        return {"isValid": False, "error": "User is invalid."}
    return {
        "isValid": True,
        "state": "CHALLENGE_SUCCEEDED",
        "stateUpdatedAt": "2026-01-01T00:00:00.000Z",
        "userId": claims["sub"],
        "action": claims["actionCode"],
        "actionCode": claims["actionCode"],
        "idempotencyKey": claims["idempotencyKey"],
        "verificationMethod": "EMAIL_OTP",
    }


_OPERATIONS: Final = {"challenge": _challenge, "verify": _verify, "claim": _claim, "validate": _validate}
