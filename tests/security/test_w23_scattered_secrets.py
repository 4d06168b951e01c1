"""W23: one secret in every function, in a page, in plain environment variables."""

import json
from pathlib import Path

from deploy.local.layout import REPOSITORY, Layout
from tests.integration.gateway.person import Person
from tests.integration.gateway.process import settings_of
from tests.stack import RunningStack

AUTHSIGNAL = "authsignal_secret"


def secret(stack: RunningStack, name: str) -> str:
    """Read one secret of the stack."""
    return (Layout(stack.state_dir).secrets / name).read_text(encoding="utf-8").strip()


def test_w23_one_service_holds_authsignals_secret(stack: RunningStack) -> None:
    """The file with the secret is named in the settings of the challenge service and of no other, and nowhere in the clear."""
    files = {name: json.dumps(settings_of(stack, name)) for name in ("gateway", "challenge", "audit")}

    assert [name for name, text in files.items() if AUTHSIGNAL in text] == ["challenge"]
    for name in ("gateway", "challenge", "audit"):
        text = (Layout(stack.state_dir).config / f"{name}.toml").read_text(encoding="utf-8")
        for held in (AUTHSIGNAL, "assertion_key", "session_key", "cognito_client_secret", "challenge_token"):
            assert secret(stack, held) not in text


def test_w23_no_function_holds_it(stack: RunningStack) -> None:
    """No trigger has Authsignal's secret, nor the pool client's, nor the gateway's token, in its environment."""
    functions = stack.aws("lambda").list_functions()["Functions"]
    environments = {one["FunctionName"]: json.dumps(one.get("Environment", {})) for one in functions}

    assert len(environments) == 4
    for held in (AUTHSIGNAL, "cognito_client_secret", "challenge_token", "session_key"):
        assert not [name for name, text in environments.items() if secret(stack, held) in text]


def test_w23_secrets_are_read_by_their_owner_alone(stack: RunningStack) -> None:
    """Every secret is a file that nobody else on the machine can open."""
    files = list(Layout(stack.state_dir).secrets.iterdir())

    assert len(files) > 10
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}


async def test_w23_no_page_holds_any(person: Person, stack: RunningStack) -> None:
    """Neither a page, nor a script, nor the configuration that pages read holds a secret of the stack."""
    held = {secret(stack, file.name) for file in Layout(stack.state_dir).secrets.iterdir() if "tenant" not in file.name}
    texts = [(await person.page("/"))[2], json.dumps((await person.call("GET", "/v1/config")).body), *bundle()]

    assert len(texts) > 4
    assert not [one for one in held for text in texts if len(one) >= 16 and one in text]


def bundle() -> list[str]:
    """Return the built scripts of the pages."""
    folder: Path = REPOSITORY / "services" / "gateway" / "web" / "dist"
    return [
        file.read_text(encoding="utf-8", errors="replace") for file in folder.rglob("*.*") if file.suffix in {".js", ".css"}
    ]
