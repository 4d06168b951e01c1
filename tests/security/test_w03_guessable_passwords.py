"""W03: the password that Cognito insists on, made by a generator that can be guessed."""

import json
import math
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.faults.meddler import Meddler
from tests.integration.gateway.fixtures import EASED
from tests.integration.gateway.person import Person
from tests.integration.gateway.process import ServiceProcess, access_key_of, settings_of
from tests.stack import RunningStack

SIGN_UPS = 4
BITS_MIN = 256


@pytest.fixture
async def overheard(stack: RunningStack, folder: Path, http: aiohttp.ClientSession) -> list[str]:
    """The passwords of some accounts, as Cognito got them."""
    meddler = Meddler(stack["aws"]["endpoint_url"])
    meddler.start()
    settings = {**settings_of(stack, "gateway"), **EASED, "cognito_endpoint_url": meddler.url}
    gateway = ServiceProcess("gateway", settings, folder, access_key_of(stack, "gateway"))
    gateway.start()
    try:
        for _ in range(SIGN_UPS):
            await Person(http, gateway.url, stack["mail"]["inbox_url"]).sign_up()
    finally:
        gateway.stop()
        meddler.stop()
    return [json.loads(body)["Password"] for operation, body in meddler.bodies if operation == "SignUp"]


async def test_w03_passwords_cannot_be_guessed(overheard: list[str], stack: RunningStack, folder: Path) -> None:
    """Each account gets 256 random bits that appear nowhere again: not in another account, not in a log, not in the state."""
    random_parts = [password.removesuffix("aA1!") for password in overheard]

    assert len(set(overheard)) == len(overheard) == SIGN_UPS
    assert all(len(part) * math.log2(64) >= BITS_MIN for part in random_parts)
    # No alphabet of digits, no fixed letters: the commonest character of all is still a rare one.
    assert Counter("".join(random_parts)).most_common(1)[0][1] < len("".join(random_parts)) / 8
    assert not [part for part in random_parts if part in logs(stack, folder)]


def logs(stack: RunningStack, folder: Path) -> str:
    """Return every line that any part has logged."""
    files = [*(stack.state_dir / "logs").glob("*.log"), *folder.glob("*.log")]
    assert len(files) > 5
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
