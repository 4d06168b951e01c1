"""AWS's side of a sign-in: AdminGetUser, InitiateAuth, RespondToAuthChallenge, and SendMessage with the checksum SDKs check."""

import hashlib
import time
from typing import Any, Final

import msgspec

from benchmarks.stubs.people import address_of_sub, sub_of_address
from benchmarks.stubs.tokens import rsa_token

Json = dict[str, Any]
ISSUER: Final = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_benchmark"
CLIENT_ID: Final = "benchmarkclient0000000000"
# Cognito's session strings are about 900 characters of base64; ours ends with the person.
_SESSION_FILLER: Final = "S" * 864
_REFRESH_TOKEN: Final = "r" * 1_700
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def answer(operation: str, body: bytes) -> Json:
    """Return the answer of one operation, by its name without the service."""
    return _OPERATIONS[operation](_decode(body))


def entries_in(body: bytes) -> int:
    """Return how many audit entries a SendMessage carries, one a line."""
    message: str = _decode(body)["MessageBody"]
    return message.count("\n") + 1


def _admin_get_user(given: Json) -> Json:
    address = given["Username"]
    sub = sub_of_address(address)
    return {
        "Username": sub,
        "UserAttributes": [
            {"Name": "sub", "Value": sub},
            {"Name": "email", "Value": address},
            {"Name": "email_verified", "Value": "true"},
            {"Name": "name", "Value": "Some Person"},
        ],
        "UserCreateDate": 1_767_225_600.0,
        "UserLastModifiedDate": 1_767_225_600.0,
        "Enabled": True,
        "UserStatus": "CONFIRMED",
    }


def _initiate_auth(given: Json) -> Json:
    sub = given["AuthParameters"]["USERNAME"]
    return {
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": _SESSION_FILLER + sub,
        "ChallengeParameters": {"USERNAME": sub},
    }


def _respond(given: Json) -> Json:
    sub = given["Session"][len(_SESSION_FILLER) :]
    if not given["ChallengeResponses"]["ANSWER"]:
        return {"ChallengeName": "CUSTOM_CHALLENGE", "Session": given["Session"], "ChallengeParameters": {"USERNAME": sub}}
    now = int(time.time())
    shared = {
        "sub": sub,
        "iss": ISSUER,
        "origin_jti": "0b8f1a52-0000-4000-8000-000000000000",
        "event_id": "1b8f1a52-0000-4000-8000-000000000000",
        "auth_time": now,
        "iat": now,
        "exp": now + 600,
        "jti": "2b8f1a52-0000-4000-8000-000000000000",
    }
    email = address_of_sub(sub)
    identity = {**shared, "email": email, "email_verified": True, "name": "Some Person", "aud": CLIENT_ID, "token_use": "id"}
    access = {
        **shared,
        "client_id": CLIENT_ID,
        "token_use": "access",
        "username": sub,
        "scope": "aws.cognito.signin.user.admin",
    }
    return {
        "AuthenticationResult": {
            "AccessToken": rsa_token(access),
            "IdToken": rsa_token(identity),
            "RefreshToken": _REFRESH_TOKEN,
            "ExpiresIn": 600,
            "TokenType": "Bearer",
        },
        "ChallengeParameters": {},
    }


def _send_message(given: Json) -> Json:
    checksum = hashlib.md5(given["MessageBody"].encode(), usedforsecurity=False).hexdigest()
    return {"MessageId": "5fea7756-0ea4-451a-a703-a558b933e274", "MD5OfMessageBody": checksum}


_OPERATIONS: Final = {
    "AdminGetUser": _admin_get_user,
    "InitiateAuth": _initiate_auth,
    "RespondToAuthChallenge": _respond,
    "SendMessage": _send_message,
}
