"""Authsignal as a sender of webhooks: signed with the stack's true key, or as an attacker would."""

import time
import uuid
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

import msgspec

from deploy.local.authsignal.webhooks.signature import HEADER, signature_header
from tests.integration.gateway.person import Answer, Person
from tests.stack import RunningStack

PATH = "/v1/webhooks/authsignal"
# For tests alone: RFC 2544, appendix C.2.2.
_ADDRESSES = ip_network("198.18.0.0/15").hosts()


class Sender:
    """
    Sends webhooks to the gateway of a person, or to another one.

    It speaks from an address of its own, so that what the gateway counts by address is this sender's alone.
    """

    def __init__(self, person: Person, stack: RunningStack, *, url: str | None = None) -> None:
        self._http = person.stranger()
        self._http.url = url or person.url
        self.key, self.tenant_id = str(stack["authsignal"]["secret_key"]), stack["authsignal"]["tenant_id"]
        self.ip = str(next(_ADDRESSES))

    def envelope(self, kind: str, data: dict[str, Any], *, member: str = "data", **more: Any) -> dict[str, Any]:
        """Make an envelope under an id of its own."""
        named = {"version": 1, "id": str(uuid.uuid4()), "source": "https://authsignal.com", "time": "2026-01-02T03:04:05.678Z"}
        return {**named, "tenantId": self.tenant_id, "type": kind, member: data, **more}

    async def send(
        self, body: Any, *, keys: Sequence[str] | None = None, seconds_off: int = 0, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a body, signed now under the true key unless told otherwise."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        signature = signature_header(raw, keys=keys if keys is not None else [self.key], at=int(time.time()) + seconds_off)
        return await self.send_raw(raw, {HEADER: signature, **(headers or {})})

    async def send_raw(self, raw: bytes, headers: dict[str, str]) -> Answer:
        """Send these very bytes under these very headers."""
        return await self._http.call("POST", PATH, raw=raw, headers={"X-Forwarded-For": self.ip, **headers})
