"""Mint assertions as the challenge service does, and wrongly in every way."""

import time
import uuid
from typing import Any

import jwt

KEY = "1f" * 32
OTHER_KEY = "2e" * 32
POOL = "us-east-1_Countersig"
GATEWAY_CLIENT = "gatewayclient0000000000000"
DIRECT_CLIENT = "directclient00000000000000"
UNKNOWN_CLIENT = "unknownclient0000000000000"
SUB = "7f0c1c52-0000-4000-8000-00000000a001"
EMAIL = "a@example.test"


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good sign-in assertion, with changes; a change to None takes the claim out."""
    now = int(time.time())
    good = {
        "iss": "countersign-challenge",
        "aud": POOL,
        "sub": SUB,
        "purpose": "sign_in",
        "attempt_id": "att_0123456789",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 60,
    }
    return {key: value for key, value in {**good, **changes}.items() if value is not None}


def mint(key: str = KEY, *, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    """Sign an assertion with PyJWT, an implementation that is not the one under test."""
    return jwt.encode(claims(**changes), key.encode(), algorithm=algorithm, headers=headers)


def event(source: str, request: dict[str, Any], *, client: str = GATEWAY_CLIENT) -> dict[str, Any]:
    """Return an event as Cognito sends it."""
    return {
        "version": "1",
        "triggerSource": source,
        "region": "us-east-1",
        "userPoolId": POOL,
        "userName": SUB,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client},
        "request": request,
        "response": {},
    }


def user(**changes: Any) -> dict[str, Any]:
    """Return the attributes of a known user."""
    return {"sub": SUB, "email": EMAIL, "email_verified": "true", "cognito:user_status": "CONFIRMED", **changes}
