"""Somebody with a passkey."""

from tests.integration.gateway.factors import Factors
from tests.integration.gateway.person import SESSION, Answer, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.soft_key import SoftKey
from tests.stack import RunningStack


class Holder:
    """Somebody with a passkey."""

    def __init__(self, person: Person, authsignal: Authsignal, stack: RunningStack) -> None:
        self.person, self._authsignal = person, authsignal
        self._tenant_id: str = stack["authsignal"]["tenant_id"]
        self.key = SoftKey("")
        self.sub = ""

    async def join(self, factors: Factors) -> "Holder":
        """Sign up and add the passkey."""
        self.sub = (await self.person.sign_up()).body["subject"]["sub"]
        self.key = (await factors.add(self.person, "PASSKEY")).key
        return self

    async def earn(self, action: str | None = "signIn") -> str:
        """Use the passkey."""
        return await self._authsignal.earn_by_passkey(self.key, self._tenant_id, action=action)


async def present(person: Person, token: str) -> Answer:
    """Come to the door with a token."""
    person.seen.add(token)
    return await person.call("POST", "/v1/sign-ins/passkey", {"token": token})


def refused(answer: Answer, person: Person) -> bool:
    """Say whether an answer is the one refusal that all wrong tokens get."""
    return (answer.status, answer.code, SESSION in person.cookies) == (401, "attempt_failed", False)
