"""Proofs: a token of Authsignal's is validated, compared with what it is spent on, burned, and turned into an assertion."""

from typing import Final

from services.challenge import policy
from services.challenge.assertions import AssertionMint, Purpose
from services.challenge.authsignal.answers import Validated
from services.challenge.authsignal.provider import Authsignal
from shared.challenge_api import ACTION_SIGN_IN, ACTION_SIGN_UP, METHOD_EMAIL_OTP, METHOD_PASSKEY, ProofAnswer, Verdict
from shared.events import normal_address
from shared.ids import is_uuid
from shared.state import StateStore

# A proof is burned for longer than any token of it can live: Authsignal's tokens live 10 minutes, up to 60 by setting.
BURN_SECONDS: Final = 2 * 3600
TOKEN_REPLAYED: Final = "TOKEN_REPLAYED"
# Only these actions open a session; a proof of any other is for whoever asked for it.
SIGNING_IN: Final = frozenset({ACTION_SIGN_IN, ACTION_SIGN_UP})


class Proofs:
    """Checks proofs; every method raises what the provider raises."""

    def __init__(self, *, provider: Authsignal, state: StateStore, mint: AssertionMint) -> None:
        self._provider = provider
        self._state = state
        self._mint = mint

    async def of_token(
        self, token: str, *, attempt_id: str, sub: str, action: str, idempotency_key: str
    ) -> tuple[ProofAnswer, str | None]:
        """Return the verdict on a token that was earned for this person, action and attempt, and Authsignal's state."""
        validated = await self._provider.validate(token, user_id=sub, action=action)
        wrong = policy.mismatch(validated, user_id=sub, action=action, idempotency_key=idempotency_key)
        if wrong is not None:
            return ProofAnswer(verdict=Verdict.REJECTED, failure=wrong.value), validated.state
        return await self._spend(validated, attempt_id=attempt_id, sub=sub, action=action)

    async def of_passkey(self, token: str, *, attempt_id: str, action: str) -> tuple[ProofAnswer, Validated]:
        """
        Return the verdict on a token that a passkey earned without a name being typed.

        Whose it is and which key the action has, only Authsignal knows; both must be told, and the key is burned like any.
        A token that another method earned belongs to an attempt, and so to the browser that began it: it is refused here.
        """
        validated = await self._provider.validate_anybody(token, action=action)
        sub, key = validated.user_id or "", validated.idempotency_key or ""
        wrong = policy.mismatch(validated, user_id=sub, action=action, idempotency_key=key)
        if wrong is None and not is_uuid(sub):
            wrong = policy.Mismatch.INVALID
        is_proven = policy.after_proof(validated.state) is Verdict.VERIFIED
        if wrong is None and is_proven and validated.verification_method != METHOD_PASSKEY:
            wrong = policy.Mismatch.MISMATCHED
        if wrong is not None:
            return ProofAnswer(verdict=Verdict.REJECTED, failure=wrong.value), validated
        answer, _ = await self._spend(validated, attempt_id=attempt_id, sub=sub, action=action)
        return answer, validated

    def of_address(self, address: str, *, attempt_id: str, action: str) -> ProofAnswer:
        """The address is proven, and no account is tied to it: only a sign-up may go on from here."""
        assertion = None
        if action == ACTION_SIGN_UP:
            assertion = self._mint.mint(subject=normal_address(address), purpose=Purpose.SIGN_UP, attempt_id=attempt_id)
        return ProofAnswer(verdict=Verdict.VERIFIED, method=METHOD_EMAIL_OTP, assertion=assertion)

    async def of_review(
        self, *, attempt_id: str, sub: str, action: str, idempotency_key: str, method: str
    ) -> tuple[ProofAnswer, str]:
        """
        Return the verdict on an action whose person proved the address, and which rules had sent to a review.

        Only an approved review counts, and like any proof it counts once.
        """
        state = await self._provider.action_state(sub, action, idempotency_key)
        verdict = policy.after_review(state)
        if verdict is not Verdict.ALLOWED:
            return ProofAnswer(verdict=Verdict.REVIEW if verdict is Verdict.PENDING else Verdict.BLOCKED, sub=sub), state
        return await self._burn(attempt_id=attempt_id, sub=sub, action=action, key=idempotency_key, method=method), state

    async def _spend(self, validated: Validated, *, attempt_id: str, sub: str, action: str) -> tuple[ProofAnswer, str | None]:
        verdict = policy.after_proof(validated.state)
        if verdict is Verdict.VERIFIED and not validated.is_valid:
            # isValid false beside CHALLENGE_SUCCEEDED contradicts itself: believe the no.
            verdict = Verdict.BLOCKED
        if verdict is not Verdict.VERIFIED:
            return ProofAnswer(verdict=verdict, sub=sub), validated.state
        key = validated.idempotency_key or ""
        method = validated.verification_method
        return await self._burn(attempt_id=attempt_id, sub=sub, action=action, key=key, method=method), validated.state

    async def _burn(self, *, attempt_id: str, sub: str, action: str, key: str, method: str | None) -> ProofAnswer:
        if not await self._state.add(f"proof:{sub}:{action}:{key}", attempt_id.encode(), ttl_seconds=BURN_SECONDS):
            return ProofAnswer(verdict=Verdict.REJECTED, failure=TOKEN_REPLAYED, sub=sub)
        assertion = None
        if action in SIGNING_IN:
            assertion = self._mint.mint(subject=sub, purpose=Purpose.SIGN_IN, attempt_id=attempt_id)
        return ProofAnswer(verdict=Verdict.VERIFIED, method=method, assertion=assertion, sub=sub)
