"""What the challenge service tells Cognito's triggers."""

import jwt
import pytest

from services.challenge.assertions import AssertionMint, Purpose
from shared.ids import is_uuid

KEY, OTHER_KEY, NOW = "ab" * 32, "cd" * 32, 1_800_000_000.9


@pytest.fixture
def mint() -> AssertionMint:
    """A mint with a clock that stands still."""
    return AssertionMint(key=KEY, user_pool_id="pool-1", clock=lambda: NOW)


def claims_of(assertion: str) -> dict[str, object]:
    """Verify the signature and return the claims."""
    claims: dict[str, object] = jwt.decode(
        assertion, KEY, algorithms=["HS256"], audience="pool-1", options={"verify_exp": False, "verify_iat": False}
    )
    return claims


@pytest.mark.parametrize("purpose", Purpose)
def test_the_claims(mint: AssertionMint, purpose: Purpose) -> None:
    """An assertion says who says it, to which pool, about whom, for what, of which attempt, and lives 60 seconds."""
    claims = claims_of(mint.mint(subject="sub-1", purpose=purpose, attempt_id="attempt-1"))

    assert is_uuid(str(claims.pop("jti")))
    assert claims == {
        "iss": "countersign-challenge",
        "aud": "pool-1",
        "sub": "sub-1",
        "purpose": purpose.value,
        "attempt_id": "attempt-1",
        "iat": 1_800_000_000,
        "exp": 1_800_000_060,
    }


def test_the_algorithm_is_hs256(mint: AssertionMint) -> None:
    """The header names HS256 and nothing that a verifier could be led astray by."""
    assertion = mint.mint(subject="s", purpose=Purpose.SIGN_IN, attempt_id="a")

    assert jwt.get_unverified_header(assertion) == {"alg": "HS256", "typ": "JWT"}


def test_another_key_does_not_verify(mint: AssertionMint) -> None:
    """Only the key that signed verifies."""
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(
            mint.mint(subject="s", purpose=Purpose.SIGN_IN, attempt_id="a"), OTHER_KEY, algorithms=["HS256"], audience="pool-1"
        )


def test_no_two_are_the_same(mint: AssertionMint) -> None:
    """Two assertions of one moment differ in their id."""
    made = {mint.mint(subject="s", purpose=Purpose.SIGN_IN, attempt_id="a") for _ in range(100)}

    assert len(made) == 100
