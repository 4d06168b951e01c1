"""A business service: it spends the grants of people with a credential of its own."""

from typing import Any

from deploy.local.layout import Layout
from tests.integration.gateway.person import Answer, Person
from tests.stack import RunningStack


class Business:
    """
    The demo shop.

    Args:
        person: Whose gateway it calls; none of their cookies goes along.
        token: Its credential; the stack's own without one.
    """

    def __init__(self, person: Person, stack: RunningStack, *, token: str | None = None) -> None:
        self._http = person.stranger()
        file = Layout(stack.state_dir).secrets / "business_token"
        self.token = token if token is not None else file.read_text(encoding="utf-8").strip()

    async def consume(self, step_up_id: str, spending: dict[str, Any], **headers: str) -> Answer:
        """Spend the grant of a step-up."""
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        return await self._http.call("POST", f"/v1/step-ups/{step_up_id}/consume", spending, headers=sent)
