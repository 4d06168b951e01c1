"""W29: webhooks that are forged, replayed, or signed in a time that is not ours."""

import time
import uuid

import msgspec

from deploy.local.authsignal.webhooks.signature import HEADER, signature_header
from tests.integration.gateway.fixtures import WEBHOOK_REFUSALS_MAX, People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Person
from tests.integration.gateway.process import ServiceProcess
from tests.integration.gateway.sender import Sender
from tests.stack import RunningStack

NEW_FACTOR = {"userId": str(uuid.uuid4()), "verificationMethod": "PASSKEY", "createdAt": "2026-01-02T03:04:05.678Z"}


async def test_w29_forged_webhooks_are_refused_and_noted(person: Person, stack: RunningStack, ledger: Ledger) -> None:
    """
    Unsigned, under another key, too old, from the future, with another body, for another tenant: each is refused and says
    nothing of why; the first of each kind is in the log, and nothing of what it said.
    """
    sender = Sender(person, stack)
    envelope = sender.envelope("authenticator.created", NEW_FACTOR)
    true, other = msgspec.json.encode(envelope), msgspec.json.encode({**envelope, "type": "authenticator.deleted"})
    header = signature_header(true, keys=[sender.key], at=int(time.time()))
    answers = {
        "malformed": await sender.send_raw(true, {}),
        "mismatched": await sender.send(envelope, keys=["x" * 64]),
        "stale": await sender.send(envelope, seconds_off=-301),
        "other_tenant": await sender.send({**envelope, "tenantId": str(uuid.uuid4())}),
    }
    again = [
        await sender.send_raw(other, {HEADER: header}),
        await sender.send_raw(true + b" ", {HEADER: header}),
        await sender.send_raw(true, {HEADER: header.replace("t=", "t=1")}),
        await sender.send(envelope, seconds_off=301 + 30),
        await sender.send_raw(true, {HEADER: header.partition(",")[0]}),
        await sender.send(envelope, keys=[""]),
    ]

    refused = [*answers.values(), *again]
    assert {(answer.status, answer.code) for answer in refused} == {(401, "unauthorized")}
    assert len({str({**answer.body, "request_id": ""}) for answer in refused}) == 1, "an answer says why"
    for reason, answer in answers.items():
        assert await ledger.told(answer.receipt) == ("webhook.refused", "denied", reason)
        event = await ledger.promised(answer.receipt)
        assert event.client is not None
        assert (event.client.ip, event.data, event.subject) == (sender.ip, {}, None)
    assert [answer for answer in again if "Audit-Receipt" in answer.headers] == [], "a flood would fill the log"
    taken = await sender.send_raw(true, {HEADER: header})
    assert (taken.status, taken.body) == (204, None), "what was refused does not count as seen"


async def test_w29_replays_count_once(person: Person, people: People, stack: RunningStack, ledger: Ledger) -> None:
    """
    The very same delivery, and the same event under a fresh signature, are answered like the first, and recorded once; a
    page or a header that means something to browsers changes nothing about that.
    """
    sender = Sender(person, stack)
    envelope = sender.envelope("authenticator.created", NEW_FACTOR)
    raw = msgspec.json.encode(envelope)
    headers = {HEADER: signature_header(raw, keys=["o" * 64, sender.key], at=int(time.time()))}
    browser = {"Origin": "https://elsewhere.test", "Sec-Fetch-Site": "cross-site", "Idempotency-Key": "k1"}

    first = await sender.send_raw(raw, headers)
    replays = [
        await sender.send_raw(raw, headers),
        await sender.send_raw(raw, {**headers, **browser}),
        await sender.send(envelope),
        await Sender(people(), stack).send(envelope),
    ]

    assert {answer.status for answer in (first, *replays)} == {204}
    assert await ledger.told(first.receipt) == ("webhook.received", "success", None)
    assert [answer for answer in replays if "Audit-Receipt" in answer.headers] == []
    assert sum(envelope["id"].encode() in entry for entry in await ledger.everything()) == 1


async def test_w29_large_and_strange_bodies(person: Person, stack: RunningStack, ledger: Ledger) -> None:
    """
    A body beyond a batch's size is not read; a signed one that is no webhook is refused, noted, and no fault of ours.
    """
    sender = Sender(person, stack)

    huge = await sender.send(b"x" * (1024 * 1024 + 1))
    strange = await sender.send(b'{"records":[{"id":7}]}')

    assert (huge.status, huge.code) == (413, "invalid_request")
    assert (strange.status, strange.code) == (400, "invalid_request")
    assert await ledger.told(strange.receipt) == ("webhook.refused", "denied", "unreadable")


async def test_w29_a_flood_of_forgeries_is_not_listened_to(person: Person, stack: RunningStack, ledger: Ledger) -> None:
    """
    After so many forgeries from one address nothing from there is checked any more, for a while, and that is one entry in the
    log; what comes from elsewhere is, and what is genuine never counts.
    """
    forger, authsignal = Sender(person, stack), Sender(person, stack)
    envelope = forger.envelope("authenticator.created", NEW_FACTOR)
    genuine = [
        await authsignal.send(authsignal.envelope("authenticator.created", NEW_FACTOR)) for _ in range(WEBHOOK_REFUSALS_MAX + 1)
    ]

    forged = [await forger.send(envelope, keys=["x" * 64]) for _ in range(WEBHOOK_REFUSALS_MAX)]
    over = [await forger.send(envelope) for _ in range(2)]

    assert {answer.status for answer in genuine} == {204}
    assert {answer.status for answer in forged} == {401}
    assert {(answer.status, answer.code) for answer in over} == {(429, "too_many_attempts")}
    assert all(int(answer.headers["Retry-After"]) > 0 and "RateLimit" not in answer.headers for answer in over)
    assert await ledger.told(over[0].receipt) == ("abuse.rate_limited", "denied", "webhook_refusals_per_ip")
    assert "Audit-Receipt" not in over[1].headers
    assert (await authsignal.send(envelope)).status == 204, "what was not listened to does not count as seen"


async def test_w29_the_key_stays_where_it_was(gateway: ServiceProcess) -> None:
    """
    The gateway checks no signature itself: the key is Authsignal's Server API key, and opens far more than this route.
    """
    assert "webhook_key_file" not in gateway.settings
