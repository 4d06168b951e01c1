"""A phone played by the simulator's control port: it holds a real P-256 key, and answers push and QR challenges with it."""

import asyncio
from typing import Any

from tests.integration.gateway.simulator import Authsignal


class Phones:
    """Enrols virtual phones, and presses their buttons."""

    def __init__(self, simulator: Authsignal) -> None:
        self._simulator = simulator

    async def enrol(self, user_id: str, method: str) -> str:
        """Enrol a phone for a user, for PUSH or QR_CODE; return its id."""
        phone = await self._simulator.control("POST", "/phones", {"userId": user_id, "verificationMethod": method})
        return str(phone["id"])

    async def waiting(self, phone_id: str) -> str:
        """Return the challenge that the phone's screen shows, as soon as there is one."""
        for _ in range(100):
            challenges: list[dict[str, Any]] = await self._simulator.control("GET", f"/phones/{phone_id}/challenges")
            if challenges:
                return str(challenges[-1]["challengeId"])
            await asyncio.sleep(0.1)
        raise AssertionError("nothing to decide came to the phone")

    async def decide(self, phone_id: str, challenge_id: str, *, approved: bool) -> None:
        """Approve or deny."""
        body = {"challengeId": challenge_id, "approved": approved}
        await self._simulator.control("POST", f"/phones/{phone_id}/decisions", body)
