"""
The public operations of Cognito's API: unsigned JSON calls, made through the process's own connection pool.

They need no AWS signature (authorisation is the client secret, the session string or the access token in the body), and they
are on the hot path: a call through the AWS SDK costs seven times the CPU for the same bytes.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Any, Final

import aiohttp
import msgspec
from msgspec import Struct

from services.gateway.cognito.faults import THROTTLED, CognitoRefused, CognitoUnreachable
from services.gateway.cognito.quota import CognitoQuota

_ENCODE = msgspec.json.Encoder().encode
CUSTOM_CHALLENGE: Final = "CUSTOM_CHALLENGE"


class Tokens(Struct, frozen=True, rename="pascal", kw_only=True):
    """What Cognito issues; `expires_in` is the access token's life in seconds."""

    access_token: str
    id_token: str
    expires_in: int
    refresh_token: str | None = None


class IdClaims(Struct, frozen=True, kw_only=True):
    """The claims of an ID token that we show."""

    sub: str
    email: str = ""
    email_verified: bool = False
    name: str | None = None
    groups: tuple[str, ...] = msgspec.field(default=(), name="cognito:groups")


class _AuthAnswer(Struct, frozen=True, rename="pascal"):
    authentication_result: Tokens | None = None
    challenge_name: str | None = None
    challenge_parameters: dict[str, str] = {}
    session: str | None = None


class _SignUpAnswer(Struct, frozen=True, rename="pascal"):
    user_sub: str


class _Fault(Struct, frozen=True):
    type: str = msgspec.field(default="", name="__type")


def claims_of(id_token: str) -> IdClaims:
    """
    Read the claims of an ID token that came from Cognito itself just now, over our own connection.

    The signature is not checked: the connection is what vouches for it. Source: OpenID Connect Core section 3.1.3.7, item 6.
    """
    payload = id_token.split(".")[1]
    return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=IdClaims)


def discarded_password() -> str:
    """
    Return a password that nobody will ever know: 256 random bits, and one character of each class for any pool policy.

    The pool's clients do not allow password flows; SignUp still wants one.
    """
    return secrets.token_urlsafe(32) + "aA1!"


class Cognito:
    """
    One pool, through one confidential app client.

    Args:
        http: The process's connection pool.
        url: The API endpoint.
        client_id: The gateway client.
        client_secret: Its secret; SECRET_HASH is made with it.
        quota: Our budget below Cognito's.
        seconds_max: Deadline of one call.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        quota: CognitoQuota,
        seconds_max: float,
    ) -> None:
        self._http = http
        self._quota = quota
        self._url = url.rstrip("/") + "/"
        self._client_id = client_id
        self._client_secret = client_secret
        self._timeout = aiohttp.ClientTimeout(total=seconds_max)

    async def sign_up(self, email: str, *, display_name: str | None, assertion: str) -> str:
        """
        Make an account for an address that was proven; return its sub.

        Raises:
            CognitoRefused: ``UsernameExistsException`` for an address that has an account, among others.
            CognitoUnreachable: The account may exist now; the next attempt for this address finds out.
        """
        attributes = [{"Name": "email", "Value": email}]
        if display_name is not None:
            attributes.append({"Name": "name", "Value": display_name})
        answer = await self._call(
            "SignUp",
            {
                "ClientId": self._client_id,
                "Username": email,
                "Password": discarded_password(),
                "SecretHash": self._secret_hash(email),
                "UserAttributes": attributes,
                "ClientMetadata": {"assertion": assertion},
            },
        )
        return msgspec.json.decode(answer, type=_SignUpAnswer).user_sub

    async def sign_in(self, sub: str, assertion: str) -> Tokens:
        """
        Trade an assertion for tokens: InitiateAuth and RespondToAuthChallenge back to back.

        Raises:
            CognitoRefused: A trigger or the pool said no.
            CognitoUnreachable: No answer; the session string may be spent.
        """
        started = msgspec.json.decode(
            await self._call_again_if_throttled(
                "InitiateAuth",
                {
                    "ClientId": self._client_id,
                    "AuthFlow": "CUSTOM_AUTH",
                    "AuthParameters": {"USERNAME": sub, "SECRET_HASH": self._secret_hash(sub)},
                },
            ),
            type=_AuthAnswer,
        )
        if started.challenge_name != CUSTOM_CHALLENGE or started.session is None:
            raise CognitoRefused("InitiateAuth", "UnexpectedChallenge")
        username = started.challenge_parameters.get("USERNAME", sub)
        answered = msgspec.json.decode(
            await self._call(
                "RespondToAuthChallenge",
                {
                    "ClientId": self._client_id,
                    "ChallengeName": CUSTOM_CHALLENGE,
                    "Session": started.session,
                    "ChallengeResponses": {
                        "USERNAME": username,
                        "ANSWER": assertion,
                        "SECRET_HASH": self._secret_hash(username),
                    },
                },
            ),
            type=_AuthAnswer,
        )
        if answered.authentication_result is None:
            raise CognitoRefused("RespondToAuthChallenge", "NotAuthorizedException")
        return answered.authentication_result

    async def refresh(self, refresh_token: str) -> Tokens:
        """Trade a refresh token for new tokens; with rotation on, the new refresh token replaces the old one."""
        answer = await self._call(
            "GetTokensFromRefreshToken",
            {"ClientId": self._client_id, "ClientSecret": self._client_secret, "RefreshToken": refresh_token},
        )
        tokens = msgspec.json.decode(answer, type=_AuthAnswer).authentication_result
        if tokens is None:
            raise CognitoRefused("GetTokensFromRefreshToken", "NotAuthorizedException")
        return tokens

    async def revoke(self, refresh_token: str) -> None:
        """End the token family of one sign-in."""
        await self._call_again_if_throttled(
            "RevokeToken",
            {"ClientId": self._client_id, "ClientSecret": self._client_secret, "Token": refresh_token},
        )

    async def check_token(self, access_token: str) -> None:
        """
        Return when Cognito still honours an access token.

        Raises:
            CognitoRefused: It was revoked, or the account is gone or disabled.
            CognitoUnreachable: Cognito did not say.
        """
        await self._call_again_if_throttled("GetUser", {"AccessToken": access_token})

    async def change_name(self, access_token: str, display_name: str) -> None:
        """Set the name that an account shows."""
        await self._call(
            "UpdateUserAttributes",
            {"AccessToken": access_token, "UserAttributes": [{"Name": "name", "Value": display_name}]},
        )

    async def _call_again_if_throttled(self, operation: str, body: dict[str, Any]) -> bytes:
        try:
            return await self._call(operation, body)
        except CognitoRefused as refusal:
            if refusal.code not in THROTTLED:
                raise
            return await self._call(operation, body)

    async def _call(self, operation: str, body: dict[str, Any]) -> bytes:
        await self._quota.take(operation)
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
        }
        try:
            async with self._http.post(
                self._url, data=_ENCODE(body), headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                content = await answer.read()
                if answer.status == 200:
                    return content
        except (aiohttp.ClientError, OSError) as error:
            raise CognitoUnreachable(f"{operation}: {type(error).__name__}") from error
        raise CognitoRefused(operation, _fault_code(content))

    def _secret_hash(self, username: str) -> str:
        digest = hmac.digest(self._client_secret.encode(), (username + self._client_id).encode(), hashlib.sha256)
        return base64.b64encode(digest).decode()


def _fault_code(content: bytes) -> str:
    try:
        # Some answers spell the type with a namespace in front: "com.amazonaws...#NotAuthorizedException".
        return msgspec.json.decode(content, type=_Fault).type.rpartition("#")[2] or "Unknown"
    except msgspec.DecodeError:
        return "Unreadable"
