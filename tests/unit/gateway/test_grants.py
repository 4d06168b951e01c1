"""Grants: signed by the first key, checked with either, ended with the step-up."""

import hashlib
import secrets
import time

import jwt
import pytest

from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.step_ups.grants import LIFE_SECONDS, GrantSigner

ISSUER = "https://login.example.test"


def approved(**changes: object) -> Attempt:
    """Return a step-up that was proven this second."""
    ends_at = float(int(time.time()) + LIFE_SECONDS)
    fields: dict[str, object] = {
        "id": "step-up",
        "kind": AttemptKind.STEP_UP,
        "action": "authorizePayment",
        "status": AttemptStatus.VERIFIED,
        "binding": "",
        "email": "a@example.test",
        "email_hash": "hash",
        "idempotency_key": "key",
        "created_at": 0.0,
        "expires_at": ends_at,
        "resend_at": 0.0,
        "codes_left": 5,
        "sends_left": 2,
        "sub": "somebody",
        "details_hash": hashlib.sha256(b"{}").hexdigest(),
        "proof_method": "PASSKEY",
        "grant_expires_at": ends_at,
    }
    return Attempt(**{**fields, **changes})  # type: ignore[arg-type]  # the fields above are of the record's types


def checked(signer: GrantSigner, grant: str) -> dict[str, object]:
    """Check a grant with the published keys, as a business service does."""
    keys = jwt.PyJWKSet.from_dict(signer.jwks())
    key = keys[jwt.get_unverified_header(grant)["kid"]]
    claims: dict[str, object] = jwt.decode(grant, key.key, algorithms=["EdDSA"], issuer=ISSUER)
    return claims


def test_a_grant_says_who_what_and_how() -> None:
    """The claims are those of the step-up, and its life is two minutes."""
    signer = GrantSigner([secrets.token_hex(32)], issuer=ISSUER)

    proven = approved()

    claims = checked(signer, signer.sign(proven))

    assert claims == {
        "iss": ISSUER,
        "sub": "somebody",
        "action": "authorizePayment",
        "ctx": proven.details_hash,
        "amr": ["PASSKEY"],
        "jti": "step-up",
        "iat": int(proven.grant_expires_at) - LIFE_SECONDS,
        "exp": int(proven.grant_expires_at),
    }


def test_a_grant_without_a_proof_names_no_method() -> None:
    """What the rules allowed at once was proven by nothing."""
    signer = GrantSigner([secrets.token_hex(32)], issuer=ISSUER)

    assert checked(signer, signer.sign(approved(proof_method=None)))["amr"] == []


def test_a_grant_of_the_key_before_is_still_good() -> None:
    """During a rotation both keys are published, and the new one signs."""
    old, new = secrets.token_hex(32), secrets.token_hex(32)
    before, after = GrantSigner([old], issuer=ISSUER), GrantSigner([new, old], issuer=ISSUER)

    assert checked(after, before.sign(approved()))["jti"] == "step-up"
    with pytest.raises(KeyError):
        checked(before, after.sign(approved()))


def test_no_private_part_is_published() -> None:
    """The published keys have a public part, a name, a use and an algorithm, and nothing else."""
    keys = GrantSigner([secrets.token_hex(32), secrets.token_hex(32)], issuer=ISSUER).jwks()["keys"]

    assert [set(key) for key in keys] == [{"kty", "crv", "x", "kid", "use", "alg"}] * 2
    assert len({key["kid"] for key in keys}) == 2
