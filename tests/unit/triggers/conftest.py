"""The environment that the template gives the functions."""

import pytest

from tests.unit.triggers.minting import GATEWAY_CLIENT, KEY


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what CloudFormation sets: the gateway's client and one live key."""
    monkeypatch.setenv("GATEWAY_CLIENT_ID", GATEWAY_CLIENT)
    monkeypatch.setenv("ASSERTION_KEYS", KEY)
