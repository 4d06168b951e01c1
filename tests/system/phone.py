"""A phone played by the simulator's control port: it holds a real P-256 key, and answers push and QR challenges with it."""

import asyncio
from typing import Any

from tests.integration.gateway.simulator import Authsignal


class Phone:
    """One phone of one person, enrolled for push and QR."""

    def __init__(self, simulator: Authsignal, phone_id: str) -> None:
        self._simulator, self._phone_id = simulator, phone_id

    @classmethod
    async def enrol(cls, simulator: Authsignal, user_id: str) -> "Phone":
        """Give a person a phone."""
        phone = await simulator.control("POST", "/phones", {"user_id": user_id})
        return cls(simulator, str(phone["phone_id"]))

    async def answers(self, method: str, *, approved: bool) -> None:
        """Approve or deny the challenge that waits for this phone, as soon as there is one; a QR code is scanned first."""
        body = {"challengeId": await self._waiting(method), "approved": approved}
        await self._simulator.control("POST", f"/phones/{self._phone_id}/decisions", body)

    async def _waiting(self, method: str) -> str:
        for _ in range(300):
            challenges: list[dict[str, Any]] = await self._simulator.control("GET", "/challenges")
            for challenge in challenges:
                is_ours = any(phone["phone_id"] == self._phone_id for phone in challenge["phones"])
                if is_ours and challenge["method"] == method and challenge["state"] == "waiting":
                    return str(challenge["challenge_id"])
            await asyncio.sleep(0.1)
        raise AssertionError(f"no {method} challenge came to the phone")
