"""What must never be written down: codes, tokens, secrets, clear addresses."""

from pathlib import Path

from deploy.local.layout import Layout
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.process import ServiceProcess
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.integration.gateway.written import found
from tests.stack import RunningStack


async def _live(person: Person, authsignal: Authsignal, vault: Vault) -> None:
    """Sign up, sign in both ways, fail on the way, and remember every secret that was held."""
    attempt = await person.begin("sign-ups", display_name="Ada")
    await person.verify(attempt["id"], await person.wrong_code())
    await person.verify(attempt["id"], await person.code())
    await _remember(person, vault)
    attempt = await person.begin("sign-ins")
    person.seen.add(attempt["sdk"]["token"])
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    person.seen.add(token)
    await person.call("POST", f"/v1/attempts/{attempt['id']}/completions", {"token": token})
    await person.call("POST", f"/v1/attempts/{attempt['id']}/completions", {"token": token})
    await _remember(person, vault)
    await person.call("PATCH", "/v1/me", {"display_name": "Grace"})
    await person.call("POST", "/v1/sign-ins", raw=f'{{"identifier": "{person.email}", "oops"'.encode())
    await person.call("DELETE", "/v1/session")
    await person.codes()


async def _remember(person: Person, vault: Vault) -> None:
    session = await vault.session(person.cookies[SESSION])
    assert session is not None
    person.seen |= {session.access_token, session.refresh_token}


def _keys(stack: RunningStack) -> set[str]:
    """Return every secret of the stack; names and ids are none."""
    files = [file for file in Layout(stack.state_dir).secrets.iterdir() if not file.name.endswith(("_key_id", "tenant"))]
    lines = {line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    return {line.removeprefix("local:") for line in lines if len(line) >= 16}


def _logs(stack: RunningStack, folder: Path, gateway: ServiceProcess) -> set[Path]:
    return {*Layout(stack.state_dir).logs.glob("*.log"), *folder.glob("*.log"), gateway.log}


async def test_w22_nothing_secret_is_written_down(
    person: Person,
    authsignal: Authsignal,
    vault: Vault,
    ledger: Ledger,
    stack: RunningStack,
    gateway: ServiceProcess,
    folder: Path,
) -> None:
    """After a whole story no log line and no stored entry holds a code, a token, a cookie, a key or the address."""
    await _live(person, authsignal, vault)
    await ledger.drained()
    secrets = {person.email, person.email.partition("@")[0], *person.seen, *_keys(stack)}
    assert len(person.seen) >= 8

    for log in _logs(stack, folder, gateway):
        assert found(secrets, log.read_text(encoding="utf-8", errors="replace")) == [], log.name
    assert found(secrets, b"\n".join(await ledger.everything()).decode()) == []


async def test_w22_the_queue_is_empty_afterwards(person: Person, stack: RunningStack, ledger: Ledger) -> None:
    """Everything that was put on the queue is taken off it within seconds, and none of it goes to the dead-letter queue."""
    sqs, dead_letters = stack.aws("sqs"), stack["aws"]["audit_dlq_url"]
    names = ["ApproximateNumberOfMessages"]
    before = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=names)["Attributes"]
    await person.sign_up()

    await ledger.drained()

    assert sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=names)["Attributes"] == before
