"""How webhooks look in the log, and whose proofs do not count."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway.webhooks.envelopes import RECORDS_MAX, Unreadable, draft_of, read
from services.gateway.webhooks.veto import LISTED, UNREADABLE, Veto
from shared.audit_trail import AuditTrail
from shared.events import Draft, EventType, Outcome
from tests.integration.gateway.written import found

SUB, KEY = "8f14e45f-ceea-467f-a0e6-bd0b5a6c1a10", "5f2b9c3e-0b66-4a4e-9d0e-2b7c7f1f0a11"
SECRETS = ("123456", "ann@example.test", "+46701234567", "https://example.test/link?token=abc", "words of a person")
LOG = {
    "userId": SUB,
    "actionCode": "authorizePayment",
    "idempotencyKey": KEY,
    "createdAt": "2026-01-02T03:04:05.678Z",
    "stateUpdatedAt": "2026-01-02T03:05:05.678Z",
    "state": "BLOCK",
    "outcome": "BLOCK",
    "ipAddress": "192.0.2.7",
    "email": "Ann@example.test",
    "rules": [{"ruleId": "r1", "name": "words of a person"}, 7, {"ruleId": 8}],
    "custom": {"payee": "words of a person"},
}


def envelope(kind: str, payload: dict[str, Any], *, member: str = "data", **more: Any) -> dict[str, Any]:
    """Make an envelope."""
    given = {"version": 1, "id": "e1", "source": "x", "time": "2026-01-02T03:15:05.678Z", "tenantId": "t", "type": kind}
    return {**given, member: payload, **more}


def drafted(kind: str, payload: dict[str, Any], *, member: str = "data", refusal: str | None = None) -> Draft:
    """Read one envelope and return how it looks in the log."""
    (one,) = read(json.dumps(envelope(kind, payload, member=member)).encode())
    return draft_of(one, email_hash_key=b"k", refusal=refusal)


def test_a_log_record_keeps_what_a_comparison_needs() -> None:
    """Person, action, key, state, rules and times of a record are taken over by name; where the person was goes with them."""
    draft = drafted("action.log_created", LOG, member="record")

    assert (draft.event_type, draft.outcome) == (EventType.ACTION_LOGGED, Outcome.DENIED)
    assert draft.subject is not None
    assert draft.subject.sub == SUB
    assert draft.subject.email_hash is not None
    assert draft.authsignal is not None
    assert (draft.authsignal.action, draft.authsignal.idempotency_key) == ("authorizePayment", KEY)
    assert (draft.authsignal.state, draft.authsignal.rule_ids) == ("BLOCK", ("r1",))
    assert draft.client is not None
    assert draft.client.ip == "192.0.2.7"
    assert draft.data == {
        "webhook": {"id": "e1", "type": "action.log_created", "time": "2026-01-02T03:15:05.678Z"},
        "created_at": LOG["createdAt"],
        "state_updated_at": LOG["stateUpdatedAt"],
        "rules_outcome": "BLOCK",
    }


MESSAGES: dict[str, dict[str, Any]] = {
    "email.created": {"to": SECRETS[1], "code": SECRETS[0], "url": SECRETS[3], "actionCode": "signIn", "userId": SUB},
    "sms.created": {"to": SECRETS[2], "code": SECRETS[0], "actionCode": "signIn", "userId": SUB},
    "authenticator.created": {"userId": SUB, "email": SECRETS[1], "phoneNumber": SECRETS[2], "credentialName": SECRETS[4]},
    "challenge.log_created": {"type": "SMS_SENT", "phoneNumber": SECRETS[2], "errorDescription": SECRETS[4]},
    "something.new": {"secret": SECRETS[0], "nested": {"code": SECRETS[0]}},
}


@pytest.mark.parametrize("kind", MESSAGES)
async def test_no_code_and_no_address_comes_along(kind: str) -> None:
    """Whatever a webhook carries, its entry holds no code, link, address, number or free text."""
    sent: list[str] = []

    async def send(body: str) -> None:
        sent.append(body)

    await AuditTrail(send, "gateway").record(drafted(kind, MESSAGES[kind]))

    assert kind in sent[0]
    assert found(SECRETS, sent[0]) == []


def test_a_veto_has_an_event_of_its_own() -> None:
    """Consent and veto to a proof are two types, so that a search for vetoes finds nothing else."""
    asked = {"userId": SUB, "action": "signIn", "idempotencyKey": KEY, "state": "CHALLENGE_SUCCEEDED"}

    consent, veto = drafted("action.verify", asked), drafted("action.verify", asked, refusal=LISTED)

    assert (consent.event_type, consent.outcome) == (EventType.ACTION_CONSENTED, Outcome.SUCCESS)
    assert (veto.event_type, veto.outcome, veto.reason) == (EventType.ACTION_VETOED, Outcome.DENIED, LISTED)


UNREAD: list[Any] = [
    [],
    {},
    7,
    {"records": []},
    {"records": {}},
    envelope("x", {}, id=""),
    envelope("x", {}, id="i" * 129),
    envelope("x", {}, id=7),
    envelope("x", {}, tenantId=None),
    {"records": [envelope("x", {}, id=str(number)) for number in range(RECORDS_MAX + 1)]},
]


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 5_000, *(json.dumps(one).encode() for one in UNREAD)])
def test_what_is_no_envelope_is_not_guessed(body: bytes) -> None:
    """A body without envelopes, or with more than a batch holds, is unreadable as a whole."""
    with pytest.raises(Unreadable):
        read(body)


def test_an_id_counts_once_in_a_batch() -> None:
    """An envelope that stands in a batch twice is one."""
    assert len(read(json.dumps({"records": [envelope("x", {}), envelope("x", {})]}).encode())) == 1


def test_the_list_is_read_for_every_question(tmp_path: Path) -> None:
    """An account on the list is refused from the next question on; a list that cannot be read refuses everybody."""
    file = tmp_path / "veto"
    veto = Veto(str(file))

    assert veto.ruling(SUB) == UNREADABLE
    file.write_text("# nobody yet\n\n", encoding="utf-8")
    assert veto.ruling(SUB) is veto.ruling(None) is None
    file.write_text(f"other\n {SUB.upper()}  # laptop stolen\n", encoding="utf-8")
    assert (veto.ruling(SUB), veto.ruling(KEY)) == (LISTED, None)
    file.write_bytes(b"\xff\xfe")
    assert veto.ruling(SUB) == UNREADABLE
    assert Veto(None).ruling(SUB) is None
