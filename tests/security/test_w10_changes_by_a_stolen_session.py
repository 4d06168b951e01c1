"""W10: factors added or removed, or the account deleted, with nothing but a stolen session."""

from typing import Any

import pytest

from tests.integration.gateway.account import PATH, age, extra, listed
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault

CHANGES: dict[str, Any] = {
    "add": ("POST", PATH, {"type": "PASSKEY"}),
    "name": ("PATCH", f"{PATH}/{{id}}", {"name": "Work"}),
    "remove": ("DELETE", f"{PATH}/{{id}}", None),
    "delete the account": ("DELETE", "/v1/me?sub={sub}", None),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_w10_changes_need_a_fresh_factor(
    person: Person, authsignal: Authsignal, vault: Vault, ledger: Ledger, change: str
) -> None:
    """Five minutes after the last proof nothing changes, the answer names the next step, and the try is recorded."""
    method, path, body = CHANGES[change]
    factor = await extra(person, authsignal)
    path = path.format(id=factor, sub=(await person.call("GET", "/v1/me")).body["sub"])
    before = await listed(person)
    await age(person, vault)

    answer = await person.call(method, path, body)

    assert (answer.status, answer.code, answer.body["next"]) == (403, "step_up_required", "/step-ups")
    event = await ledger.promised(answer.receipt)
    assert (event.outcome.value, event.reason) == ("denied", "step_up_required")
    assert await listed(person) == before
    assert (await person.call("GET", PATH)).body["fresh_until"] is None
