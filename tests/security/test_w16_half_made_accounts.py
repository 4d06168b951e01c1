"""W16: a sign-up that fails between its three writes."""

from typing import Any

import pytest

from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault

# The steps after the account was made, each with as many faults as it has tries.
CLAIMING: dict[str, dict[str, Any]] = {
    "the rules are asked": {"path_prefix": "/v1/users", "method": "POST", "times": 3},
    "the claim": {"path_prefix": "/v1/claim", "times": 1},
    "the enrolment is looked at": {"path_prefix": "/v1/users", "method": "GET", "times": 3},
    "the token is validated": {"path_prefix": "/v1/validate", "times": 3},
}


@pytest.mark.parametrize("step", CLAIMING)
async def test_w16_a_sign_up_whose_claim_failed_goes_on(
    person: Person, authsignal: Authsignal, vault: Vault, step: str
) -> None:
    """When the account is made but Authsignal fails on the way to the session, another code finishes the same sign-up."""
    attempt = await person.begin("sign-ups")
    await authsignal.fault(kind="refuse", **CLAIMING[step])

    failed = await person.verify(attempt["id"], await person.code())
    await vault.change_attempt(attempt["id"], resend_at=0.0)
    resent = await person.call("POST", f"/v1/attempts/{attempt['id']}/challenges", {"method": "EMAIL_OTP"})
    answer = await person.verify(attempt["id"], await person.code())

    assert (failed.status, failed.code) == (503, "provider_busy")
    assert (resent.status, answer.status) == (202, 200)
    assert SESSION in person.cookies
