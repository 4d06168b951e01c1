"""Settings and secret files: what is wrong with them is said in one line that names the file."""

from pathlib import Path

import pytest

from services.challenge.settings import ChallengeSettings
from services.gateway.settings import GatewaySettings
from shared.settings import SettingsError, load, read_keys, read_secrets
from shared.state import open_state
from shared.state.memory import MemoryState
from shared.state.valkey import ValkeyState

CHALLENGE = """
authsignal_url = "http://localhost:1/v1"
authsignal_secret_file = "/secret"
service_token_file = "/token"
assertion_key_file = "/assertion"
email_hash_key_file = "/hash"
user_pool_id = "pool"
audit_queue_url = "http://localhost:2/q"
aws_region = "us-east-1"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to write settings into."""
    return tmp_path / "settings.toml"


def test_defaults_are_filled_in(file: Path) -> None:
    """A file with the fields that have no default is enough."""
    file.write_text(CHALLENGE)

    assert load(ChallengeSettings, file).authsignal_seconds_max == 2.0


@pytest.mark.parametrize(
    "line",
    ['surprise = "x"', "port = 'x'", "breaker_failures_max = 0", "authsignal_seconds_max = -1", "= broken", 'host = ["x"]'],
)
def test_wrong_settings_are_refused(file: Path, line: str) -> None:
    """An unknown key, a wrong type, a value out of bounds or broken TOML stops the start and names the file."""
    file.write_text(CHALLENGE + line)

    with pytest.raises(SettingsError, match=r"settings\.toml"):
        load(ChallengeSettings, file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is named with the reason."""
    with pytest.raises(SettingsError, match=r"nothing\.toml: No such file"):
        load(GatewaySettings, tmp_path / "nothing.toml")


@pytest.mark.parametrize(("content", "secrets"), [("a\n", ["a"]), ("a\nb\n", ["a", "b"]), ("\n a \n\n b", ["a", "b"])])
def test_secret_files_hold_one_or_two(file: Path, content: str, secrets: list[str]) -> None:
    """A secret file holds the current secret, and during a rotation the one before it or after it."""
    file.write_text(content)

    assert read_secrets(file) == secrets


@pytest.mark.parametrize("content", ["", "\n", "a\nb\nc"])
def test_other_secret_files_are_refused(file: Path, content: str) -> None:
    """No secret, or three of them, is a mistake."""
    file.write_text(content)

    with pytest.raises(SettingsError, match="one or two lines"):
        read_secrets(file)


@pytest.mark.parametrize("key", ["ab" * 31, "AB" * 32, "zz" * 32, "ab" * 32 + "\n" + "x"])
def test_keys_are_32_bytes_of_hex(file: Path, key: str) -> None:
    """A key that is no 64 lower-case hex digits is refused, and its text is not repeated."""
    file.write_text(key)

    with pytest.raises(SettingsError) as refusal:
        read_keys(file)

    assert key not in str(refusal.value)


async def test_the_state_url_names_the_store() -> None:
    """Each scheme opens its store; anything else is a mistake in the settings."""
    for url, kind in (("memory://", MemoryState), ("valkey://localhost:1/0", ValkeyState), ("valkeys://h:1/0", ValkeyState)):
        store = open_state(url)
        assert isinstance(store, kind)
        await store.close()
    with pytest.raises(SettingsError, match="state_url"):
        open_state("http://localhost")
