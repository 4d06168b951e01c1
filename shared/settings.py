"""Settings: one TOML file per process, decoded into a frozen struct before the port opens; secrets stay in files."""

import re
from pathlib import Path
from typing import Final, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)
KEY_HEX: Final = re.compile(r"[0-9a-f]{64}")


class SettingsError(Exception):
    """A settings or secret file is missing or wrong; the text names the file and what to mend."""


class AwsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where AWS is. Credentials come from the standard chain (environment, profile, task role)."""

    aws_region: str
    aws_endpoint_url: str | None = None


def load(cls: type[T], path: str | Path) -> T:
    """
    Read the settings of one process.

    Raises:
        SettingsError: The file cannot be read, is not TOML, has an unknown key, or a value is out of its bounds.
    """
    try:
        return msgspec.toml.decode(Path(path).read_bytes(), type=cls)
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error


def read_secrets(path: str | Path) -> list[str]:
    """
    Read a secret file: one secret a line, the first is the current one, a second is accepted during rotation.

    Raises:
        SettingsError: The file cannot be read, is empty, or holds more than two secrets.
    """
    try:
        lines = [line.strip() for line in Path(path).read_text().splitlines() if line.strip()]
    except OSError as error:
        raise SettingsError(f"secret file {path}: {error.strerror or error}") from error
    if not 1 <= len(lines) <= 2:
        raise SettingsError(f"secret file {path}: expected one or two lines, found {len(lines)}")
    return lines


def read_keys(path: str | Path) -> list[str]:
    """
    Read a key file: as `read_secrets`, and each line must be 32 bytes as 64 lower-case hex digits.

    Raises:
        SettingsError: As `read_secrets`, or a line is no such key.
    """
    keys = read_secrets(path)
    if not all(KEY_HEX.fullmatch(key) for key in keys):
        raise SettingsError(f"key file {path}: every line must be 64 lower-case hex digits")
    return keys
