"""
Taking in webhooks.

Rules:

1. The challenge service says whether Authsignal signed the very bytes: it holds the key. Where it has none, there is no route.
2. An envelope's id counts once. A replay is answered like the first, and neither recorded nor carried out again.
3. Every envelope is on the audit queue before the answer. Where the queue refuses, the answer is 503 and the ids count as not
   seen, so that Authsignal sends them again; the refused events are offered again as well, so the log may then hold an
   envelope twice, each time under its own id.
4. A refusal is an event too: the first of each kind, from each address, in ten minutes. An address that was refused too often
   is not listened to for a while: a forgery costs a question to the challenge service. What is genuine counts nowhere.
"""

from typing import Final, NoReturn

from msgspec.structs import replace

from services.gateway.limits import Limits
from services.gateway.recorder import Recorder
from services.gateway.webhooks import envelopes
from services.gateway.webhooks.envelopes import ACTION_VERIFY, ERRANDS, Envelope, Unreadable
from services.gateway.webhooks.messages import Messages, NotAllowed, NotDelivered
from services.gateway.webhooks.veto import Veto
from shared.challenge_api import ChallengeService, WebhookRequest, WebhookVerdict
from shared.events import Draft, EventType, Outcome
from shared.http.context import RequestContext
from shared.problems import (
    ActionBlocked,
    Conflict,
    InvalidRequest,
    NotFound,
    Problem,
    ProviderError,
    TextRefused,
    Unauthorized,
)
from shared.state import StateStore

# A signature is good for ten minutes; a batch whose answer got lost comes again under the same ids, for as long as it takes.
SEEN_SECONDS: Final = 86_400
TAKING_SECONDS: Final = 60
REFUSAL_SECONDS: Final = 600
TAKING, SEEN = b"taking", b"seen"
NOT_DELIVERED_HERE: Final = "not_delivered_here"


class Webhooks:
    """
    Takes in webhooks.

    Args:
        messages: Delivers codes and links; None where another provider does.
        tenant_id: Whose events these are; others are refused.
    """

    def __init__(
        self,
        *,
        challenges: ChallengeService,
        recorder: Recorder,
        limits: Limits,
        state: StateStore,
        veto: Veto,
        messages: Messages | None,
        tenant_id: str,
        email_hash_key: bytes,
    ) -> None:
        self._challenges = challenges
        self._recorder = recorder
        self._limits = limits
        self._state = state
        self._veto = veto
        self._messages = messages
        self._tenant_id = tenant_id
        self._email_hash_key = email_hash_key

    async def receive(self, context: RequestContext, signature: str, body: bytes) -> None:
        """
        Take in one delivery.

        Raises:
            NotFound: No webhooks are taken in here, or nobody here does what this one asks for.
            Unauthorized: Authsignal did not sign it for us, just now.
            InvalidRequest: Signed, and yet nothing that we can read.
            ActionBlocked: The proof that it asks about does not count.
            Conflict: The same is being taken in at this moment.
            TextRefused: The text message that it brings may not go to its number.
            ProviderError: The message that it brings could not be handed over.
            TooManyAttempts: Too much that came from this address was refused.
            AuditUnavailable: It could not be recorded, so it does not count as seen.
        """
        await self._limits.check_webhook(context)
        answer = await self._challenges.check_webhook(WebhookRequest(signature=signature, body=body))
        if answer.verdict is WebhookVerdict.CLOSED:
            raise NotFound("no webhook key")
        if answer.verdict is not WebhookVerdict.GENUINE:
            await self._refuse(context, answer.verdict.value, Unauthorized(answer.verdict.value))
        try:
            received = envelopes.read(body)
        except Unreadable as error:
            await self._refuse(context, "unreadable", InvalidRequest(str(error)))
        if any(envelope.tenant_id != self._tenant_id for envelope in received):
            await self._refuse(context, "other_tenant", Unauthorized("other_tenant"))
        await self._take(context, received)

    async def _take(self, context: RequestContext, received: list[Envelope]) -> None:
        refusals = {envelope.id: self._refusal(envelope) for envelope in received}
        fresh = [envelope for envelope in received if await self._is_fresh(envelope)]
        if fresh:
            drafts = [
                envelopes.draft_of(envelope, email_hash_key=self._email_hash_key, refusal=refusals[envelope.id])
                for envelope in fresh
            ]
            await self._record(context, fresh, drafts)
        for envelope in received:
            if refusals[envelope.id] is not None:
                raise NotFound(NOT_DELIVERED_HERE) if envelope.type in ERRANDS else ActionBlocked(refusals[envelope.id])
        for envelope in fresh:
            if envelope.type in ERRANDS:
                await self._deliver(context, envelope)

    def _refusal(self, envelope: Envelope) -> str | None:
        if envelope.type == ACTION_VERIFY:
            return self._veto.ruling(envelope.word("userId"))
        is_deliverable = self._messages is not None and envelope.type != envelopes.PUSH_CREATED
        return NOT_DELIVERED_HERE if envelope.type in ERRANDS and not is_deliverable else None

    async def _is_fresh(self, envelope: Envelope) -> bool:
        key = _key(envelope)
        if await self._state.add(key, TAKING, ttl_seconds=TAKING_SECONDS):
            return True
        if await self._state.get(key) == TAKING:
            raise Conflict("webhook under way")
        return False

    async def _record(self, context: RequestContext, fresh: list[Envelope], drafts: list[Draft]) -> None:
        is_recorded = False
        try:
            await self._recorder.record(context, *drafts)
            is_recorded = True
        finally:
            # After a crash before this the marks of the first step end within a minute, and a later delivery counts.
            for envelope in fresh:
                if is_recorded:
                    await self._state.put(_key(envelope), SEEN, ttl_seconds=SEEN_SECONDS)
                else:
                    await self._state.delete(_key(envelope))

    async def _deliver(self, context: RequestContext, envelope: Envelope) -> None:
        assert self._messages is not None
        sent = envelopes.draft_of(envelope, email_hash_key=self._email_hash_key)
        try:
            await self._messages.deliver(envelope)
        except NotAllowed as refusal:
            data = {**sent.data, "country": refusal.country}
            denied = replace(sent, event_type=EventType.MESSAGE_FAILED, outcome=Outcome.DENIED, reason=str(refusal), data=data)
            await self._recorder.record(context, denied)
            raise TextRefused(str(refusal)) from refusal
        except NotDelivered as error:
            failed = replace(sent, event_type=EventType.MESSAGE_FAILED, outcome=Outcome.FAILURE, reason=str(error))
            await self._recorder.record(context, failed)
            raise ProviderError("message not delivered") from error
        await self._recorder.record(context, replace(sent, event_type=EventType.MESSAGE_SENT, outcome=Outcome.SUCCESS))

    async def _refuse(self, context: RequestContext, reason: str, problem: Problem) -> NoReturn:
        key = f"limit:webhook_refused:{reason}:{context.client.ip or 'unknown'}"
        if await self._state.add(key, SEEN, ttl_seconds=REFUSAL_SECONDS):
            refused = Draft(event_type=EventType.WEBHOOK_REFUSED, outcome=Outcome.DENIED, reason=reason)
            await self._recorder.record(context, refused)
        await self._limits.note_forgery(context)
        raise problem


def _key(envelope: Envelope) -> str:
    return f"webhook:{envelope.id}"
