"""From a proof to a session: at sign-up the account is made first; then Cognito issues tokens for the assertion."""

from msgspec.structs import replace

from services.gateway.attempts.drafts import REJECTED, client_of, draft_of
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.attempts.reviews import Reviews
from services.gateway.attempts.store import AttemptStore, Held
from services.gateway.attempts.unproven import UnprovenAccounts
from services.gateway.cognito.client import Cognito, Tokens
from services.gateway.cognito.directory import Directory
from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.recorder import Recorder
from services.gateway.sessions.model import SignedIn
from services.gateway.sessions.service import Sessions
from shared.audit_trail import AuditUnavailable
from shared.challenge_api import METHOD_EMAIL_OTP, ChallengeService, ClaimRequest, ProofAnswer, Verdict
from shared.events import CognitoRef, Draft, EventType, Outcome
from shared.http.context import RequestContext
from shared.problems import ActionBlocked, AttemptFailed, Problem


class Finish:
    """Ends an attempt whose proof was looked at."""

    def __init__(
        self,
        *,
        store: AttemptStore,
        challenges: ChallengeService,
        cognito: Cognito,
        directory: Directory,
        sessions: Sessions,
        recorder: Recorder,
        reviews: Reviews,
    ) -> None:
        self._store = store
        self._challenges = challenges
        self._cognito = cognito
        self._directory = directory
        self._sessions = sessions
        self._recorder = recorder
        self._reviews = reviews
        self._unproven = UnprovenAccounts(directory=directory, challenges=challenges, recorder=recorder)

    async def with_proof(self, context: RequestContext, held: Held, proof: ProofAnswer) -> SignedIn | Attempt:
        """
        Turn a proof into a session, or into an attempt that waits for a review.

        Raises:
            ActionBlocked: The rules said no.
            AttemptFailed, ProviderBusy, ProviderError: Cognito or Authsignal did not go along; begin again.
            AuditUnavailable: It could not be recorded, so the tokens were revoked.
        """
        closing: list[Draft] = []
        is_stopped = held.attempt.ruling is not Verdict.CHALLENGED and not held.attempt.is_reviewed
        if proof.verdict is Verdict.VERIFIED and is_stopped:
            proof = ProofAnswer(verdict=held.attempt.ruling)
        try:
            if held.attempt.kind is AttemptKind.SIGN_UP and proof.verdict is Verdict.VERIFIED:
                held, proof = await self._make_account(context, held, proof, closing)
            if proof.verdict is not Verdict.VERIFIED or proof.assertion is None or held.attempt.sub is None:
                return await self._refuse(context, held, proof, closing)
            tokens = await self._cognito.sign_in(held.attempt.sub, proof.assertion)
        except (CognitoRefused, CognitoUnreachable) as fault:
            await self._fail(context, held, closing, fault)
            raise fault.problem() from fault
        return await self._succeed(context, held, proof, tokens, closing)

    async def _make_account(
        self, context: RequestContext, held: Held, proof: ProofAnswer, closing: list[Draft]
    ) -> tuple[Held, ProofAnswer]:
        """Make the account of a proven address, or find the one it has; then let Authsignal tie the proof to it."""
        attempt = held.attempt
        closing.append(draft_of(attempt, EventType.SIGN_UP_VERIFIED, Outcome.SUCCESS))
        try:
            attempt = await self._create(attempt, proof, closing)
        except CognitoRefused as refusal:
            if refusal.code != "UsernameExistsException":
                raise
            # Whoever proved the address now may use the account it has: signing up twice signs in.
            account = await self._directory.look_up(attempt.email)
            sub = account.sub if account is not None else await self._owner(context, held, closing)
            attempt = replace(attempt, sub=sub) if sub is not None else await self._create(attempt, proof, closing)
        assert attempt.sub is not None
        # From here the account exists. Should anything below fail, the next attempt for this address finds it and goes on.
        held = await self._store.change(held, attempt)
        claimed = await self._claim(context, held, attempt.sub, closing)
        return held, claimed

    async def _create(self, attempt: Attempt, proof: ProofAnswer, closing: list[Draft]) -> Attempt:
        sub = await self._cognito.sign_up(attempt.email, display_name=attempt.display_name, assertion=proof.assertion or "")
        attempt = replace(attempt, sub=sub)
        created = draft_of(attempt, EventType.ACCOUNT_USER_CREATED, Outcome.SUCCESS)
        closing.append(_with_cognito(created, "SignUp", None))
        return attempt

    async def _owner(self, context: RequestContext, held: Held, closing: list[Draft]) -> str | None:
        try:
            return await self._unproven.owner(context, held.attempt)
        except Problem:
            await self._give_back(context, held, closing)
            raise

    async def _claim(self, context: RequestContext, held: Held, sub: str, closing: list[Draft]) -> ProofAnswer:
        attempt = held.attempt
        try:
            return await self._challenges.claim(
                ClaimRequest(
                    attempt_id=attempt.id,
                    action=attempt.action,
                    email=attempt.email,
                    idempotency_key=attempt.idempotency_key,
                    challenge_id=attempt.challenge_id or "",
                    sub=sub,
                    client=client_of(context, attempt),
                )
            )
        except Problem:
            await self._give_back(context, held, closing)
            raise

    async def _give_back(self, context: RequestContext, held: Held, closing: list[Draft]) -> None:
        # The person may ask for another code and go on: nothing of this attempt is lost but the code.
        await self._store.change(held, replace(held.attempt, busy_until=0.0))
        await self._recorder.record(context, *closing)

    async def _succeed(
        self, context: RequestContext, held: Held, proof: ProofAnswer, tokens: Tokens, closing: list[Draft]
    ) -> SignedIn:
        attempt = held.attempt
        if attempt.kind is AttemptKind.SIGN_IN:
            closing.append(draft_of(attempt, EventType.SIGN_IN_SUCCEEDED, Outcome.SUCCESS))
        try:
            opened = await self._sessions.open(
                context, tokens, *closing, method=proof.method or METHOD_EMAIL_OTP, client_id=attempt.client_id
            )
        except AuditUnavailable:
            await self._store.change(held, replace(attempt, status=AttemptStatus.FAILED))
            raise
        await self._store.change(held, replace(attempt, status=AttemptStatus.COMPLETED, track_token=None, proof_token=None))
        return opened

    async def _refuse(self, context: RequestContext, held: Held, proof: ProofAnswer, closing: list[Draft]) -> Attempt:
        """
        Record a verdict that is no session, after what was done before it (`closing`): of a sign-up the account is there.

        Return an attempt in review, raise what anything else means.
        """
        if proof.verdict is Verdict.REVIEW:
            held = await self._store.change(held, await self._reviews.open(context, held.attempt))
            draft = draft_of(held.attempt, EventType.SIGN_IN_UNDER_REVIEW, Outcome.PENDING)
            await self._recorder.record(context, *closing, draft)
            return held.attempt
        if proof.verdict is Verdict.BLOCKED:
            await self._store.change(held, replace(held.attempt, status=AttemptStatus.BLOCKED))
            blocked = draft_of(held.attempt, EventType.SIGN_IN_BLOCKED, Outcome.DENIED)
            await self._recorder.record(context, *closing, blocked)
            raise ActionBlocked
        await self._store.change(held, replace(held.attempt, status=AttemptStatus.FAILED))
        failed = draft_of(held.attempt, EventType.SIGN_IN_FAILED, Outcome.FAILURE, reason=proof.failure)
        await self._recorder.record(context, *closing, failed)
        raise AttemptFailed(proof.failure)

    async def _fail(
        self, context: RequestContext, held: Held, closing: list[Draft], fault: CognitoRefused | CognitoUnreachable
    ) -> None:
        """Close an attempt whose proof is spent and that Cognito did not honour."""
        attempt = held.attempt
        await self._directory.forget(attempt.email_hash)
        await self._store.change(held, replace(attempt, status=AttemptStatus.FAILED))
        operation, _, error = str(fault).partition(": ")
        failed = draft_of(attempt, REJECTED[attempt.kind], Outcome.ERROR, reason="cognito")
        await self._recorder.record(context, *closing, _with_cognito(failed, operation, error))


def _with_cognito(draft: Draft, operation: str, error: str | None) -> Draft:
    return replace(draft, cognito=CognitoRef(operation=operation, error=error))
