"""What outlives a restart beyond accounts: sessions, phones and keys; and files of the version before."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.authsignal.model import VerificationMethod
from deploy.local.authsignal.store import Store, StoreUnusable
from tests.contract.accounts import decide, enrol_phone, track, validated
from tests.contract.mailbox import Mailbox
from tests.contract.simulator import Simulator

# A file as the first version wrote it, with one user and one factor in it.
_FIRST_VERSION = """
CREATE TABLE users (user_id TEXT PRIMARY KEY, email TEXT, phone_number TEXT, username TEXT, doc BLOB NOT NULL);
CREATE TABLE authenticators (
    number INTEGER PRIMARY KEY, user_authenticator_id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, doc BLOB NOT NULL);
CREATE INDEX authenticators_by_user ON authenticators (user_id);
CREATE TABLE actions (
    number INTEGER PRIMARY KEY, user_id TEXT NOT NULL, action_code TEXT NOT NULL, idempotency_key TEXT NOT NULL,
    doc BLOB NOT NULL, UNIQUE (user_id, action_code, idempotency_key));
CREATE TABLE challenges (
    number INTEGER PRIMARY KEY, challenge_id TEXT NOT NULL UNIQUE, user_id TEXT, action_code TEXT NOT NULL,
    idempotency_key TEXT NOT NULL, method TEXT NOT NULL, origin TEXT NOT NULL, created_at REAL NOT NULL,
    doc BLOB NOT NULL);
CREATE INDEX challenges_by_user ON challenges (user_id);
INSERT INTO users VALUES ('u1', 'a@example.test', NULL, NULL,
    '{"user_id":"u1","created_at":1.0,"email":"a@example.test","email_verified":true}');
INSERT INTO authenticators VALUES (1, 'f1', 'u1',
    '{"user_id":"u1","user_authenticator_id":"f1","verification_method":"EMAIL_OTP","created_at":1.0,"verified_at":2.0,
      "email":"a@example.test"}');
PRAGMA user_version = 1;
"""


def test_file_of_the_first_version_is_brought_forward(tmp_path: Path) -> None:
    """
    Users and factors of a file that the first version wrote are read, and the file takes what is new.
    """
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript(_FIRST_VERSION)
    db.close()
    store = Store(path)
    user, (factor,) = store.user("u1"), store.authenticators("u1")
    assert user is not None
    assert (user.email, factor.verification_method) == ("a@example.test", VerificationMethod.EMAIL_OTP)
    assert store.devices.all() == []
    store.save_authenticator(factor)
    store.close()


def test_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """
    A file that a newer version wrote is left alone.
    """
    path = tmp_path / "new.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreUnusable, match="newer version"):
        Store(path)


@pytest.mark.parametrize("end", [Simulator.stop, Simulator.kill], ids=["stopped", "killed"])
def test_sessions_and_phones_outlive_a_restart(
    tmp_path: Path, mailbox: Mailbox, user_id: str, end: Callable[[Simulator], object]
) -> None:
    """
    After a restart a session validates, its key set is the same, and a phone approves the challenge that was waiting.
    """
    simulator = Simulator(tmp_path, smtp_port=mailbox.port)
    simulator.start()
    try:
        phone_id = enrol_phone(simulator, user_id)
        first, second = track(simulator, user_id), track(simulator, user_id)
        waiting = [_push(simulator, token) for token in (first, second)]
        decide(simulator, phone_id, waiting[0], approved=True)
        tokens = simulator.server_call("POST", "/sessions", {"clientId": "app", "token": first}).json()
        keys = simulator.page(f"/v1/client/public/{simulator.tenant_id}/.well-known/jwks").json()
        end(simulator)
        simulator.start()
        assert simulator.page(f"/v1/client/public/{simulator.tenant_id}/.well-known/jwks").json() == keys
        live = simulator.server_call("POST", "/sessions/validate", {"accessToken": tokens["accessToken"]})
        assert live.json()["user"]["userId"] == user_id
        decide(simulator, phone_id, waiting[1], approved=True)
        assert validated(simulator, second)["isValid"] is True
    finally:
        simulator.stop()


def _push(simulator: Simulator, token: str) -> str:
    bearer = {"Authorization": f"Bearer {token}"}
    answer = simulator.call("POST", "/client/challenge/push", raw='{"action": "signIn"}', headers=bearer)
    challenge_id: str = answer.json()["challengeId"]
    return challenge_id
