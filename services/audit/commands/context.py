"""Where the commands find the service: options first, then the environment, then the local stack that runs here."""

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.tree.notes import VerifierKey

STACK_FILE: Final = Path(".local") / "stack.json"
AUDIT_SETTINGS: Final = Path("config") / "audit.toml"
URL_VARIABLE: Final = "COUNTERSIGN_AUDIT_URL"
TOKEN_VARIABLE: Final = "COUNTERSIGN_AUDIT_TOKEN"
KEY_VARIABLE: Final = "COUNTERSIGN_LOG_KEY"


class StackAws(msgspec.Struct, frozen=True):
    """The part of ``stack.json`` about AWS that commands for queue and archive need."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    audit_queue_url: str
    audit_dlq_url: str
    archive_bucket: str | None = None


class Stack(msgspec.Struct, frozen=True):
    """The parts of ``stack.json`` that commands need, and beside it the audit service's settings; what does not run is null."""

    audit_url: str | None = None
    audit_token: str | None = None
    log_public_key: str | None = None
    audit_settings: str | None = None
    aws: StackAws | None = None


def find_stack(start: Path) -> Stack:
    """
    Read ``.local/stack.json`` of the nearest folder at or above `start`; an empty stack when there is none.

    Raises:
        CommandFailed: The file is there and cannot be read.
    """
    for folder in (start, *start.parents):
        file = folder / STACK_FILE
        try:
            stack = msgspec.json.decode(file.read_bytes(), type=Stack)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, msgspec.MsgspecError) as error:
            raise CommandFailed(f"{file} cannot be read: {error}") from error
        settings = file.parent / AUDIT_SETTINGS
        return msgspec.structs.replace(stack, audit_settings=str(settings)) if settings.exists() else stack
    return Stack()


def audit_address(options: Any) -> tuple[str, str]:
    """
    Return URL and token of the audit API.

    Raises:
        CommandFailed: One of them is not known.
    """
    url, token = public_address(options)
    if not token:
        raise CommandFailed(f"the audit service wants a token: give --token or set {TOKEN_VARIABLE}", USAGE)
    return url, token


def public_address(options: Any) -> tuple[str, str | None]:
    """
    Return URL and token of the audit API, for what needs no token but is better with one.

    Raises:
        CommandFailed: The URL is not known, or the token is none.
    """
    stack = find_stack(Path.cwd())
    url = options.url or os.environ.get(URL_VARIABLE) or stack.audit_url
    # The local stack's token goes to the local stack alone.
    token = options.token or os.environ.get(TOKEN_VARIABLE) or (stack.audit_token if url == stack.audit_url else None)
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise CommandFailed(
            "the token has characters that are in no token: was it copied alone, without quotes and line ends?", USAGE
        )
    if not url:
        raise CommandFailed(f"which audit service? Give --url or set {URL_VARIABLE}, or start one with make run", USAGE)
    return url.rstrip("/"), token


def log_keys(options: Any) -> list[VerifierKey]:
    """
    Return the public keys of the log: of an option, the environment, or the local stack; as text or in a file.

    Raises:
        CommandFailed: No key is known, or what was given is none.
    """
    given = options.key or os.environ.get(KEY_VARIABLE) or find_stack(Path.cwd()).log_public_key
    if not given:
        raise CommandFailed(f"whose log? Give its public key with --key or set {KEY_VARIABLE}", USAGE)
    try:
        text = given if "+" in given and not Path(given).is_file() else Path(given).read_text()
        return [VerifierKey.parse(line) for line in text.splitlines() if line.strip()]
    except OSError as error:
        raise CommandFailed(f"the key file {given} cannot be read: {error.strerror or error}", USAGE) from error
    except ValueError as error:
        raise CommandFailed(f"--key: {error}", USAGE) from error


def lend_credentials(stack: StackAws) -> None:
    """Use the local stack's keys: they are all that its AWS knows, whatever the person's own shell holds."""
    os.environ["AWS_ACCESS_KEY_ID"] = stack.access_key_id
    os.environ["AWS_SECRET_ACCESS_KEY"] = stack.secret_access_key
    os.environ.pop("AWS_SESSION_TOKEN", None)
