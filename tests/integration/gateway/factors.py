"""Ways to sign in that a test gives to somebody, and how it proves them."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from deploy.local.authsignal import totp
from tests.integration.gateway.person import Answer, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.soft_key import SoftKey

TYPED = ("SMS", "WHATSAPP", "AUTHENTICATOR_APP")
AWAITED = ("EMAIL_MAGIC_LINK", "PUSH", "QR_CODE")
SIGNED = ("PASSKEY", "SECURITY_KEY")
# A phone's own app, or the integrator, adds these; a page has no call for it.
ADDED_ELSEWHERE = ("WHATSAPP", "PUSH", "QR_CODE")


@dataclass
class Factor:
    """One authenticator: what its owner holds of it."""

    method: str
    key: SoftKey
    number: str = ""
    secret: str = ""
    step: int = 0  # of an app: the last one whose code was typed
    phone_id: str = ""


class Factors:
    """
    Adds authenticators through the gateway as the pages do, and proves them.

    Args:
        authsignal: The simulator.
        origin: The page that ceremonies run on.
    """

    def __init__(self, authsignal: Authsignal, origin: str) -> None:
        self._authsignal = authsignal
        self._origin = origin

    async def add(self, person: Person, method: str) -> Factor:
        """Add an authenticator to a signed-in person's account, from the first click to the notice."""
        begun = await person.call("POST", "/v1/me/authenticators", {"type": method})
        assert begun.status == 201, begun.body
        factor = await self.enrol(person, method, begun.body["sdk"]["token"])
        completed = await self.complete(person, begun.body["id"])
        assert completed.status == 200, completed.body
        return factor

    async def complete(self, person: Person, enrolment_id: str) -> Answer:
        """Tell the gateway that the browser's part is done."""
        return await person.call("POST", f"/v1/me/enrolments/{enrolment_id}/completions", {})

    async def enrol(self, person: Person, method: str, token: str) -> Factor:
        """Do the browser's or the phone's part of an enrolment."""
        factor = Factor(method, SoftKey(self._origin), number=f"+4670{secrets.randbelow(10**7):07d}")
        if method in ADDED_ELSEWHERE:
            sub = (await person.call("GET", "/v1/me")).body["sub"]
            if method == "WHATSAPP":
                await self._authsignal.enrol(sub, method, phoneNumber=factor.number)
            else:
                factor.phone_id = await self._authsignal.phone(sub, method)
        elif method in SIGNED:
            await self._register(factor, token)
        else:
            await self._enrol_code(person, factor, token)
        return factor

    async def code(self, factor: Factor) -> str:
        """Return the code that the owner would type now."""
        if factor.method == "AUTHENTICATOR_APP":
            # Each step's code works once, and the next one's works already.
            factor.step = max(factor.step + 1, int(time.time() // totp.STEP_SECONDS))
            return totp.code_at(factor.secret, factor.step)
        return await self._authsignal.code(factor.number)

    async def answer_elsewhere(self, person: Person, factor: Factor, attempt: dict[str, Any], *, approved: bool = True) -> None:
        """Open the link, press the button, or scan the code."""
        if factor.method == "EMAIL_MAGIC_LINK":
            await self._authsignal.open_link(person.email)
        elif factor.method == "QR_CODE":
            await self._authsignal.scan(factor.phone_id, attempt["qr"]["content"], approved=approved)
        else:
            await self._authsignal.press(factor.phone_id, approved=approved)

    async def _register(self, factor: Factor, token: str) -> None:
        if factor.method == "SECURITY_KEY":
            options = await self._authsignal.client("user-authenticators/security-key/registration-options", token, {})
            await self._authsignal.client("user-authenticators/security-key", token, factor.key.create(options))
            return
        begun = await self._authsignal.client("user-authenticators/passkey/registration-options", token, {})
        body = {"challengeId": begun["challengeId"], "registrationCredential": factor.key.create(begun["options"])}
        await self._authsignal.client("user-authenticators/passkey", token, body)

    async def _enrol_code(self, person: Person, factor: Factor, token: str) -> None:
        if factor.method == "EMAIL_MAGIC_LINK":
            await self._authsignal.client("user-authenticators/email-magic-link", token, {"email": person.email})
            await self._authsignal.open_link(person.email)
        elif factor.method == "SMS":
            await self._authsignal.client("user-authenticators/sms", token, {"phoneNumber": factor.number})
            code = await self._authsignal.code(factor.number)
            await self._authsignal.client("verify/sms", token, {"verificationCode": code})
        else:
            factor.secret = (await self._authsignal.client("user-authenticators/totp", token, {}))["secret"]
            earned = await self._authsignal.client("verify/totp", token, {"verificationCode": await self.code(factor)})
            assert earned["isVerified"], earned
