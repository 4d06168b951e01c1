"""The environment that the template gives the functions."""

import pytest

from tests.unit.triggers.minting import DIRECT_CLIENT, GATEWAY_CLIENT, KEY


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what CloudFormation sets: both clients and one live key."""
    monkeypatch.setenv("GATEWAY_CLIENT_ID", GATEWAY_CLIENT)
    monkeypatch.setenv("DIRECT_CLIENT_ID", DIRECT_CLIENT)
    monkeypatch.setenv("ASSERTION_KEYS", KEY)
