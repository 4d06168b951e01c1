"""Somebody who pays, step by step."""

import hashlib
import json
from typing import Any

from tests.integration.gateway.business import Business
from tests.integration.gateway.person import Answer, Person

ACTION = "authorizePayment"


TEN = {"amount": "10.00", "currency": "EUR", "payee": "Corner shop"}


class Payer:
    """A signed-in person who is about to pay, and the shop."""

    def __init__(self, person: Person, shop: Business) -> None:
        self.person, self.shop = person, shop
        self.sub = ""

    async def join(self) -> "Payer":
        """Sign up."""
        self.sub = (await self.person.sign_up()).body["subject"]["sub"]
        return self

    async def ask(self, context: dict[str, Any] | None = None, action: str = ACTION) -> dict[str, Any]:
        """Ask for a payment."""
        body = {"action": action, "context": TEN if context is None else context}
        answer = await self.person.call("POST", "/v1/step-ups", body)
        assert answer.status == 200, answer.body
        step_up: dict[str, Any] = answer.body
        return step_up

    async def prove(self, step_up: dict[str, Any], code: str | None = None) -> Answer:
        """Answer with a code, the mailed one by default."""
        code = code if code is not None else await self.person.code()
        return await self.person.call("POST", f"/v1/step-ups/{step_up['id']}/verifications", {"code": code})

    async def approved(self) -> dict[str, Any]:
        """Ask for ten, and prove it."""
        proven: dict[str, Any] = (await self.prove(await self.ask())).body
        assert proven["status"] == "verified", proven
        return proven

    async def spend(self, step_up: dict[str, Any], **other: Any) -> Answer:
        """Let the shop spend the grant, for ten by default."""
        return await self.shop.consume(step_up["id"], {"sub": self.sub, "action": ACTION, "context": TEN, **other})


def hashed(context: dict[str, Any]) -> str:
    """Return the hash of details, computed here anew. Source: RFC 8785."""
    return hashlib.sha256(json.dumps(context, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
