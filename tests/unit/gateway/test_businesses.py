"""Business services and their credentials."""

import hashlib
from pathlib import Path

import pytest

from services.gateway.businesses import Businesses
from shared.problems import Unauthorized
from shared.settings import SettingsError

TOKEN = "a-token-of-the-shop"


def known() -> Businesses:
    """Return two services, one of them with the token above."""
    hashes = {"shop": TOKEN, "bank": "another-token"}
    return Businesses({name: hashlib.sha256(token.encode()).hexdigest() for name, token in hashes.items()})


def test_a_token_names_its_service() -> None:
    """Whoever holds a service's token is that service."""
    assert known().name_of(f"Bearer {TOKEN}") == "shop"


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", f"bearer {TOKEN}", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} ", "Bearer ä"]
)
def test_nothing_else_does(given: str | None) -> None:
    """No header, another scheme, or another token is nobody."""
    with pytest.raises(Unauthorized):
        known().name_of(given)


def test_the_hash_is_no_token() -> None:
    """Whoever reads the file of hashes cannot spend with what stands there."""
    with pytest.raises(Unauthorized):
        known().name_of(f"Bearer {hashlib.sha256(TOKEN.encode()).hexdigest()}")


def test_without_a_file_nobody_spends() -> None:
    """Where no services are set up every credential is refused."""
    with pytest.raises(Unauthorized):
        Businesses.from_file(None).name_of(f"Bearer {TOKEN}")


def test_a_file_has_a_service_a_line(tmp_path: Path) -> None:
    """Names and hashes are read line by line, empty lines left out."""
    file = tmp_path / "hashes"
    file.write_text(f"shop:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n\n")

    assert Businesses.from_file(str(file)).name_of(f"Bearer {TOKEN}") == "shop"


@pytest.mark.parametrize("text", ["shop", "shop:", f"shop:{TOKEN}", ":" + "0" * 64])
def test_a_wrong_file_stops_the_start(tmp_path: Path, text: str) -> None:
    """A line that is no name with a SHA-256 is a mistake of the operator, told before the port opens."""
    file = tmp_path / "hashes"
    file.write_text(text)

    with pytest.raises(SettingsError, match="sha256"):
        Businesses.from_file(str(file))


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    """So is a file that is not there."""
    with pytest.raises(SettingsError):
        Businesses.from_file(str(tmp_path / "nothing"))
