"""Sign-ups and sign-ins as a client of Cognito makes them."""

import base64
import hashlib
import hmac
import secrets
import uuid
from pathlib import Path
from typing import Any

from tests.stack import RunningStack
from tests.unit.triggers.minting import mint


class People:
    """One app client of a pool, and the assertions that go with it."""

    def __init__(self, account: RunningStack, *, pool_id: str, client_id: str, secret: str | None, key: str) -> None:
        self.account = account
        self.cognito = account.aws("cognito-idp")
        self.pool_id, self.client_id = pool_id, client_id
        self.secret, self.key = secret, key

    @classmethod
    def through_gateway(cls, account: RunningStack) -> "People":
        """Return the people who come through the gateway's confidential client."""
        pool, client = account["aws"]["user_pool_id"], account["aws"]["gateway_client_id"]
        client_secret, key = secret(account, "cognito_client_secret"), secret(account, "assertion_key")
        return cls(account, pool_id=pool, client_id=client, secret=client_secret, key=key)

    @classmethod
    def direct(cls, account: RunningStack) -> "People":
        """Return the people who come through the public client."""
        pool, client = account["aws"]["user_pool_id"], account["aws"]["direct_client_id"]
        return cls(account, pool_id=pool, client_id=client, secret=None, key=secret(account, "assertion_key"))

    def assertion(self, key: str | None = None, **changes: Any) -> str:
        """Mint an assertion for this pool, as the challenge service does."""
        return mint(key or self.key, **{"aud": self.pool_id, **changes})

    def sign_up(self, email: str, assertion: str | None) -> dict[str, Any]:
        """Call SignUp with the address and, when there is one, an assertion."""
        request: dict[str, Any] = {
            "ClientId": self.client_id,
            "Username": email,
            "Password": f"{secrets.token_urlsafe(32)}aA1!",
            "UserAttributes": [{"Name": "email", "Value": email}],
            "ClientMetadata": {"assertion": assertion} if assertion else {},
        }
        if self.secret:
            request["SecretHash"] = self.hash(email)
        answer: dict[str, Any] = self.cognito.sign_up(**request)
        return answer

    def make(self) -> tuple[str, str]:
        """Make a person with a proven address; return the address and the sub."""
        email = f"{uuid.uuid4().hex}@example.test"
        return email, self.sign_up(email, self.assertion(purpose="sign_up", sub=email))["UserSub"]

    def start(self, username: str, **parameters: str) -> dict[str, Any]:
        """Call InitiateAuth."""
        given = {"USERNAME": username, **({"SECRET_HASH": self.hash(username)} if self.secret else {}), **parameters}
        answer: dict[str, Any] = self.cognito.initiate_auth(
            ClientId=self.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters=given
        )
        return answer

    def answer(self, started: dict[str, Any], answer: str, username: str | None = None) -> dict[str, Any]:
        """Call RespondToAuthChallenge on what InitiateAuth answered."""
        named = username or started["ChallengeParameters"]["USERNAME"]
        responses = {"USERNAME": named, "ANSWER": answer}
        if self.secret:
            responses["SECRET_HASH"] = self.hash(named)
        answered: dict[str, Any] = self.cognito.respond_to_auth_challenge(
            ClientId=self.client_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=started["Session"],
            ChallengeResponses=responses,
        )
        return answered

    def sign_in(self, email: str, sub: str) -> dict[str, Any]:
        """Sign somebody in with a good assertion and return the tokens."""
        result: dict[str, Any] = self.answer(self.start(email), self.assertion(sub=sub))["AuthenticationResult"]
        return result

    def hash(self, username: str) -> str:
        """Return the secret hash that a confidential client sends."""
        assert self.secret is not None
        digest = hmac.new(self.secret.encode(), (username + self.client_id).encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()


def secret(account: RunningStack, name: str) -> str:
    """Read one secret of a running stack."""
    return Path(account.state_dir, "secrets", name).read_text(encoding="utf-8").strip()
