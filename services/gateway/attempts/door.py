"""
The door: sign-up and sign-in, from an address to a session.

At the door everybody is offered the same methods, known or not, enrolled or not: what a person has is only looked at inside.
"""

import time
from collections.abc import Callable

from msgspec.structs import replace

from services.gateway import cookies, policy
from services.gateway.attempts.drafts import draft_of
from services.gateway.attempts.finish import Finish
from services.gateway.attempts.flow import DECOY_REASON, Flow, sent, with_decoy_code
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus
from services.gateway.attempts.store import AttemptStore
from services.gateway.cognito.directory import Account, Directory
from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.limits import Limits
from services.gateway.natives import Caller
from services.gateway.recorder import Recorder
from services.gateway.sessions.model import SignedIn
from services.gateway.settings import GatewaySettings
from shared.challenge_api import (
    ACTION_SIGN_IN,
    ACTION_SIGN_UP,
    METHOD_EMAIL_OTP,
    METHOD_PASSKEY,
    ChallengeAnswer,
    ChallengeService,
    PasskeyRequest,
    Verdict,
)
from shared.decoys import DecoyTokens
from shared.events import EventType, Outcome, email_hash, normal_address
from shared.http.context import RequestContext
from shared.ids import uuid7
from shared.problems import AttemptFailed, InvalidRequest, Problem
from shared.veil import Veil

ACTIONS = {AttemptKind.SIGN_UP: ACTION_SIGN_UP, AttemptKind.SIGN_IN: ACTION_SIGN_IN}


class Door:
    """Begins sign-ups and sign-ins, and ends them with a session."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        flow: Flow,
        store: AttemptStore,
        directory: Directory,
        challenges: ChallengeService,
        finish: Finish,
        recorder: Recorder,
        limits: Limits,
        veil: Veil,
        email_hash_key: bytes,
        decoy_tokens: DecoyTokens,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._flow = flow
        self._store = store
        self._directory = directory
        self._challenges = challenges
        self._finish = finish
        self._recorder = recorder
        self._limits = limits
        self._veil = veil
        self._email_hash_key = email_hash_key
        self._decoy_tokens = decoy_tokens
        self._clock = clock

    async def begin_sign_up(
        self, context: RequestContext, caller: Caller, *, email: str, display_name: str | None, device_id: str | None
    ) -> Attempt:
        """Send a code to an address. Whether it has an account is not looked at: the answer could not tell."""
        attempt = self._new(AttemptKind.SIGN_UP, self._address("email", email), caller, device_id)
        attempt = replace(attempt, display_name=display_name, methods=(METHOD_EMAIL_OTP,), own_methods=(METHOD_EMAIL_OTP,))
        await self._limits.check_start(context, attempt.email_hash, device_id, method=METHOD_EMAIL_OTP)
        await self._recorder.record(context, draft_of(attempt, EventType.SIGN_UP_REQUESTED, Outcome.PENDING))
        answer = await self._challenges.challenge(self._flow.challenge_request(context, attempt, METHOD_EMAIL_OTP))
        attempt = replace(sent(attempt, answer), method=METHOD_EMAIL_OTP)
        return await self._begun(context, caller, attempt, EventType.SIGN_UP_CHALLENGED)

    async def begin_sign_in(
        self, context: RequestContext, caller: Caller, *, identifier: str, method: str | None, device_id: str | None
    ) -> Attempt:
        """Challenge whoever has this address; for an address that nobody has, look exactly as if."""
        began = self._veil.begin()
        method = method or METHOD_EMAIL_OTP
        attempt = self._new(AttemptKind.SIGN_IN, self._address("identifier", identifier), caller, device_id)
        attempt = replace(attempt, methods=caller.offered(self._settings.methods), method=method)
        if method not in attempt.methods:
            raise InvalidRequest(extensions={"errors": [{"field": "method", "message": "This method is not offered here."}]})
        await self._limits.check_start(context, attempt.email_hash, device_id, method=method)
        await self._recorder.record(context, draft_of(attempt, EventType.SIGN_IN_STARTED, Outcome.PENDING))
        try:
            attempt = with_decoy_code(await self._asked(context, attempt, method))
        except Problem:
            # Known and unknown alike, and of neither is anything learned.
            await self._veil.settle(began, is_decoy=True)
            raise
        event_type = EventType.SIGN_IN_DECOYED if attempt.is_decoy else EventType.SIGN_IN_CHALLENGED
        attempt = await self._begun(context, caller, attempt, event_type)
        await self._veil.settle(began, is_decoy=attempt.is_decoy)
        return attempt

    async def sign_in_with_passkey(
        self, context: RequestContext, caller: Caller, *, token: str, device_id: str | None
    ) -> SignedIn | Attempt:
        """
        Sign in whoever a passkey's token belongs to; no name was typed.

        Raises:
            AttemptFailed: The token proves nothing here, or its person has no account that may sign in.
        """
        attempt = self._new(AttemptKind.SIGN_IN, "", caller, device_id)
        attempt = replace(attempt, methods=(METHOD_PASSKEY,), own_methods=(METHOD_PASSKEY,), method=METHOD_PASSKEY)
        await self._limits.check_passkey(context, device_id)
        await self._recorder.record(context, draft_of(attempt, EventType.SIGN_IN_STARTED, Outcome.PENDING))
        proof = await self._challenges.passkey(
            PasskeyRequest(
                attempt_id=attempt.id,
                action=attempt.action,
                token=token,
                client=replace(context.client, device_id=device_id),
            )
        )
        account = await self._look_up(proof.sub) if proof.sub is not None else None
        if proof.verdict is Verdict.REJECTED or account is None:
            reason = proof.failure or "no_account"
            await self._recorder.record(context, draft_of(attempt, EventType.SIGN_IN_FAILED, Outcome.FAILURE, reason=reason))
            raise AttemptFailed(reason)
        address = normal_address(account.email)
        attempt = replace(attempt, sub=account.sub, email=address, email_hash=email_hash(address, self._email_hash_key))
        return await self._finish.with_proof(context, await self._store.add(attempt), proof)

    async def verify(self, context: RequestContext, binding: str | None, attempt_id: str, code: str) -> SignedIn | Attempt:
        """Answer with a code; return whoever is signed in, or the attempt when it now waits for a review."""
        held, proof = await self._flow.answer(context, binding, attempt_id, code)
        return await self._finish.with_proof(context, held, proof)

    async def complete(
        self, context: RequestContext, binding: str | None, attempt_id: str, token: str | None
    ) -> SignedIn | Attempt:
        """Come back from the browser's part, or from a wait; return what `verify` returns."""
        held, proof = await self._flow.complete(context, binding, attempt_id, token)
        return await self._finish.with_proof(context, held, proof)

    def _address(self, field: str, text: str) -> str:
        if not policy.is_address(text):
            raise InvalidRequest(extensions={"errors": [{"field": field, "message": "Enter an e-mail address."}]})
        return normal_address(text)

    def _new(self, kind: AttemptKind, address: str, caller: Caller, device_id: str | None) -> Attempt:
        now = self._clock()
        return Attempt(
            id=str(uuid7()),
            kind=kind,
            action=ACTIONS[kind],
            status=AttemptStatus.CHALLENGE_REQUIRED,
            binding="",
            email=address,
            # A passkey names nobody: whose it is, only its token says.
            email_hash=email_hash(address, self._email_hash_key) if address else "",
            idempotency_key=str(uuid7()),
            created_at=now,
            expires_at=now + self._settings.attempt_seconds,
            resend_at=now + self._settings.resend_seconds,
            codes_left=self._settings.codes_max,
            sends_left=self._settings.sends_max - 1,
            device_id=device_id,
            client_id=caller.client_id,
        )

    async def _asked(self, context: RequestContext, attempt: Attempt, method: str) -> Attempt:
        """Return an attempt with what was sent to its person; of an address that nobody has, the decoy of one."""
        account = await self._find(attempt)
        if account is None:
            await self._flow.probe(context, attempt, is_repeated=True)
            return replace(attempt, is_decoy=True, track_token=self._decoy_token(attempt))
        attempt = replace(attempt, sub=account.sub)
        request = self._flow.challenge_request(context, attempt, method)
        return self._challenged(attempt, await self._challenges.challenge(request))

    async def _find(self, attempt: Attempt) -> Account | None:
        try:
            return await self._directory.find(attempt.email, attempt.email_hash)
        except (CognitoRefused, CognitoUnreachable) as fault:
            raise fault.problem() from fault

    async def _look_up(self, sub: str) -> Account | None:
        try:
            return await self._directory.look_up(sub)
        except (CognitoRefused, CognitoUnreachable) as fault:
            raise fault.problem() from fault

    def _challenged(self, attempt: Attempt, answer: ChallengeAnswer) -> Attempt:
        if answer.track_token is not None and self._settings.sdk_sign_in_enabled:
            self._decoy_tokens.learn(answer.track_token)
        return replace(
            sent(attempt, answer),
            ruling=answer.verdict,
            own_methods=answer.methods,
            track_token=answer.track_token or self._decoy_token(attempt),
        )

    def _decoy_token(self, attempt: Attempt) -> str:
        return self._decoy_tokens.make(action=attempt.action, idempotency_key=attempt.idempotency_key)

    async def _begun(self, context: RequestContext, caller: Caller, attempt: Attempt, event_type: EventType) -> Attempt:
        attempt = replace(attempt, binding=cookies.digest(caller.secret))
        await self._store.add(attempt)
        outcome = Outcome.DENIED if attempt.is_decoy else Outcome.SUCCESS
        reason = DECOY_REASON if attempt.is_decoy else None
        await self._recorder.record(context, draft_of(attempt, event_type, outcome, reason=reason))
        if caller.client is None:
            seconds = self._settings.attempt_seconds
            context.set_cookie(cookies.set_header(cookies.ATTEMPT, caller.secret, seconds=seconds))
        return attempt
