"""An app that talks to Cognito itself, as the public client: sign-in by the pool's own protocol, then ``/v1/direct``."""

from typing import Any

from tests.integration.gateway.person import Answer, Person
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack


class DirectApp:
    """Somebody's app; the tokens are there once they signed in."""

    def __init__(self, stack: RunningStack, authsignal: Authsignal, person: Person) -> None:
        self._cognito = stack.aws("cognito-idp")
        self._client_id = stack["aws"]["direct_client_id"]
        self._authsignal = authsignal
        self._person = person
        self.access_token = self.id_token = ""

    def begin(self) -> dict[str, Any]:
        """Begin a sign-in; return Cognito's answer, whose parameters hold the Web SDK's token."""
        begun: dict[str, Any] = self._cognito.initiate_auth(
            ClientId=self._client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": self._person.email}
        )
        return begun

    def respond(self, begun: dict[str, Any], answer: str) -> dict[str, Any]:
        """Answer the challenge; return Cognito's answer, with tokens if it was right."""
        answered: dict[str, Any] = self._cognito.respond_to_auth_challenge(
            ClientId=self._client_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=begun["Session"],
            ChallengeResponses={"USERNAME": begun["ChallengeParameters"].get("USERNAME", self._person.email), "ANSWER": answer},
        )
        return answered

    async def sign_in(self) -> None:
        """Sign in by e-mail code."""
        begun = self.begin()
        token = await self.earn(begun["ChallengeParameters"]["token"])
        tokens = self.respond(begun, token)["AuthenticationResult"]
        self.access_token, self.id_token = tokens["AccessToken"], tokens["IdToken"]
        self._person.seen |= {token, self.access_token, self.id_token}

    async def earn(self, token: str) -> str:
        """Prove the person's address to the Web SDK."""
        return await self._authsignal.earn(token, self._person.email)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call ``/v1/direct`` with the access token."""
        sent = {"Authorization": f"Bearer {self.access_token}", **headers}
        return await self._person.stranger().call(method, f"/v1/direct/{path}", body, headers=sent)
