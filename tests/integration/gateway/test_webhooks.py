"""Webhooks, delivered by the simulator as Authsignal delivers them, and taken in by the running gateway."""

import asyncio
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from shared.events import Event, decode
from tests.integration.gateway.fixtures import EASED
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.payer import ACTION, Payer
from tests.integration.gateway.person import Answer, Person
from tests.integration.gateway.process import ServiceProcess, access_key_of, settings_of
from tests.integration.gateway.sender import PATH, Sender
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.integration.gateway.written import found
from tests.stack import RunningStack

DELIVERED_SECONDS_MAX = 30.0
TEXTS_PER_NUMBER_MAX = 2  # Within a test's reach.
LOGGED = {"action.logged", "challenge.logged"}


async def events_of(ledger: Ledger, word: str, wanted: set[str]) -> list[Event]:
    """Return the events in which a word stands, an account's id or an action's key, once one of each type wanted is there."""
    deadline = time.monotonic() + DELIVERED_SECONDS_MAX
    while True:
        events = [decode(entry) for entry in await ledger.everything() if word.encode() in entry]
        if wanted <= {event.event_type.value for event in events}:
            return events
        assert time.monotonic() < deadline, {event.event_type.value for event in events}
        await asyncio.sleep(0.1)


async def test_the_log_gets_what_authsignal_knows(payer: Payer, authsignal: Authsignal, ledger: Ledger) -> None:
    """
    As the stack stands, a new factor, the consent to a proof, and the provider's own records of actions and challenges come
    in; a record names person, action, key, state and times as our own events do, so that the two can be compared.
    """
    step_up = await payer.ask()
    await payer.prove(step_up)
    await authsignal.enrol(payer.sub, "SMS", phoneNumber="+46701234567")
    await authsignal.advance(601)

    events = await events_of(ledger, payer.sub, {"step_up.succeeded", "webhook.received"})

    ours = next(event for event in events if event.event_type.value == "step_up.succeeded")
    assert ours.authsignal is not None
    assert ours.authsignal.idempotency_key is not None
    # The sign-up was an action too, and is told in the same breath.
    of_key = await events_of(ledger, ours.authsignal.idempotency_key, {"action.consented", *LOGGED})
    theirs = {event.event_type.value: event for event in of_key if "webhook" in event.data}
    assert set(theirs) == {"action.consented", *LOGGED}
    record = theirs["action.logged"]
    assert record.authsignal is not None
    assert (record.authsignal.action, record.authsignal.state, record.outcome.value) == (
        ACTION,
        "CHALLENGE_SUCCEEDED",
        "success",
    )
    assert {"created_at", "state_updated_at", "rules_outcome", "webhook"} <= set(record.data)
    assert {"id", "type", "time"} == set(record.data["webhook"])
    assert any(event.data["webhook"]["type"] == "authenticator.created" for event in events if "webhook" in event.data)


@pytest.fixture(scope="module")
def veto_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of accounts whose proofs do not count; nobody is on it."""
    file = tmp_path_factory.mktemp("veto") / "list"
    file.touch()
    return file


@pytest.fixture(scope="module")
def provider(stack: RunningStack, folder: Path, veto_file: Path) -> Iterator[ServiceProcess]:
    """A gateway that delivers codes itself, and may veto."""
    own = {"delivers_messages": True, "veto_file": str(veto_file), "brand": {"name": "Northwind"}}
    own["texts"] = {"countries": ["SE"], "per_number_max": TEXTS_PER_NUMBER_MAX}
    settings = {**settings_of(stack, "gateway"), **EASED, **own}
    process = ServiceProcess("gateway", settings, folder, access_key_of(stack, "gateway"))
    process.start()
    yield process
    process.stop()


def list_accounts(file: Path, text: str) -> None:
    """Edit the list."""
    file.write_text(text, encoding="utf-8")


async def told(authsignal: Authsignal, url: str, **kinds: Any) -> None:
    """Let the simulator tell another gateway."""
    whole = {kind: url + PATH for kind in kinds if kind != "action_verify"}
    verify = dict.fromkeys(kinds.get("action_verify", ()), url + PATH)
    await authsignal.control("PUT", "/webhooks", {**whole, "action_verify": verify})


async def test_a_veto_stops_a_proof(
    payer: Payer, authsignal: Authsignal, provider: ServiceProcess, veto_file: Path, vault: Vault, ledger: Ledger
) -> None:
    """
    Whoever is on the list proves in vain, from the next proof on; off the list, another code proves the same step-up.
    """
    await told(authsignal, provider.url, action_verify=["*"])
    payer.person.url = provider.url
    step_up = await payer.ask()
    list_accounts(veto_file, f"{payer.sub}  # phone stolen\n")
    refused = await payer.prove(step_up)
    list_accounts(veto_file, "")
    events = await events_of(ledger, payer.sub, {"action.vetoed"})

    await vault.change_attempt(step_up["id"], resend_at=0.0)
    await payer.person.call("POST", f"/v1/step-ups/{step_up['id']}/challenges", {"method": "EMAIL_OTP"})
    proven = await payer.prove(step_up)

    assert (refused.status, refused.code) == (403, "action_blocked")
    assert (proven.status, proven.body["status"]) == (200, "verified")
    veto = next(event for event in events if event.event_type.value == "action.vetoed")
    assert (veto.outcome.value, veto.reason) == ("denied", "account_on_veto_list")
    assert veto.subject is not None
    assert veto.subject.sub == payer.sub


async def texts_to(http: aiohttp.ClientSession, stack: RunningStack, number: str) -> list[str]:
    """Return what the emulator's SNS was given for a number."""
    query = {"phoneNumber": number, "region": stack["aws"]["region"]}
    async with http.get(f"{stack['aws']['endpoint_url']}/_ministack/sns/sms-messages", params=query) as answer:
        found: dict[str, list[dict[str, str]]] = (await answer.json())["sms_messages"]
    return [message["Message"] for messages in found.values() for message in messages]


async def test_codes_go_through_our_own_provider(
    person: Person,
    authsignal: Authsignal,
    provider: ServiceProcess,
    stack: RunningStack,
    ledger: Ledger,
    http: aiohttp.ClientSession,
) -> None:
    """
    A code by e-mail is ours to send, in our words, and signs up; a text message goes to Amazon SNS; a replay sends nothing
    more; what was sent is in the log, without the code.
    """
    await told(authsignal, provider.url, email=True)
    await person.sign_up()
    codes = await person.codes()
    sender = Sender(person, stack, url=provider.url)
    data = {"to": person.email, "code": "424242", "userId": str(uuid.uuid4()), "idempotencyKey": "k", "actionCode": "signIn"}
    number = f"+4670{random.randrange(10**7):07}"
    mail, text = sender.envelope("email.created", data), sender.envelope("sms.created", {**data, "to": number})

    answers = [await sender.send(mail), await sender.send(mail), await sender.send(text), await sender.send(text)]

    assert [answer.status for answer in answers] == [204, 204, 204, 204], [answer.body for answer in answers]
    assert await person.codes() == ["424242", *codes]
    for answer in (answers[0], answers[2]):
        assert await ledger.told(answer.receipt) == ("message.sent", "success", None)
    assert await texts_to(http, stack, number) == ["424242 is your Northwind code. Give it to nobody."]
    assert found(["424242", number], b"\n".join(await ledger.everything()).decode()) == []


async def test_texts_keep_to_the_operators_limits(
    person: Person, stack: RunningStack, provider: ServiceProcess, ledger: Ledger, http: aiohttp.ClientSession
) -> None:
    """
    A text to a country that is not listed, or one too many to a number, is not sent, whoever had Authsignal ask for it; the
    challenge fails there, and the log has the limit's name and the country, never the number.
    """
    sender = Sender(person, stack, url=provider.url)
    data = {"userId": str(uuid.uuid4()), "actionCode": "addAuthenticator", "code": "424242"}
    abroad, number = "+4915112345678", f"+4670{random.randrange(10**7):07}"

    async def text(to: str) -> Answer:
        return await sender.send(sender.envelope("sms.created", {**data, "to": to}))

    elsewhere = await text(abroad)
    sent = [await text(number) for _ in range(TEXTS_PER_NUMBER_MAX)]
    over = await text(number)

    assert [answer.status for answer in sent] == [204, 204]
    assert [(answer.status, answer.code) for answer in (elsewhere, over)] == [(403, "text_refused")] * 2
    assert await ledger.told(elsewhere.receipt) == ("message.failed", "denied", "text_country")
    assert (await ledger.promised(elsewhere.receipt)).data["country"] == "DE"
    assert await ledger.told(over.receipt) == ("message.failed", "denied", "texts_per_number")
    assert (len(await texts_to(http, stack, abroad)), len(await texts_to(http, stack, number))) == (0, 2)
    assert [entry for entry in await ledger.everything() if abroad.encode() in entry or number.encode() in entry] == []


async def test_what_cannot_be_done_is_not_said_to_be_done(
    person: Person, stack: RunningStack, provider: ServiceProcess, ledger: Ledger
) -> None:
    """
    A message that nobody here delivers, or that the mail server does not take, fails at Authsignal too, and is in the log.
    """
    here, there = Sender(person, stack), Sender(person, stack, url=provider.url)
    data = {"userId": str(uuid.uuid4()), "actionCode": "signIn", "code": "424242"}

    off = await here.send(here.envelope("email.created", {**data, "to": person.email}))
    push = await there.send(there.envelope("push.created", data))
    nobody = await there.send(there.envelope("email.created", data))
    broken = await there.send(there.envelope("email.created", {**data, "to": "a\nb@example.test"}))

    assert [off.status, push.status, nobody.status, broken.status] == [404, 404, 502, 502]
    assert await ledger.told(off.receipt) == ("webhook.received", "denied", "not_delivered_here")
    assert await ledger.told(nobody.receipt) == ("message.failed", "failure", "incomplete")
    assert (await ledger.told(broken.receipt))[:2] == ("message.failed", "failure")
    assert await person.codes() == []
