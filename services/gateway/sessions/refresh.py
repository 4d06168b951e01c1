"""
New tokens for old ones: Cognito's, inside a session that goes on, and an app's refresh token, which works once.

An app's token that comes a second time is in two hands, and nobody can tell whose is whose: the whole family dies, on every
copy and at Cognito, and the log says so. Two cases are none of that: the same request again (same Idempotency-Key, within
`idempotency.REFRESH_GRACE_SECONDS`) gets its first answer again before it comes here, and a twin that came while the token was
still good is told that it lost. Source: RFC 9700 section 4.14.2.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from services.gateway import cookies
from services.gateway.cognito.client import Cognito, Tokens
from services.gateway.cognito.faults import REFUSED, CognitoRefused, CognitoUnreachable
from services.gateway.natives import NativeClients
from services.gateway.recorder import Recorder
from services.gateway.sessions import refresh_tokens
from services.gateway.sessions.endings import Endings, revoked, subject_of
from services.gateway.sessions.model import NativeTokens, Session
from services.gateway.sessions.refresh_tokens import RefreshToken
from services.gateway.sessions.store import SessionStore
from shared.audit_trail import AuditUnavailable
from shared.events import CognitoRef, Draft, EventType, Outcome
from shared.http.context import RequestContext
from shared.problems import Conflict, SessionExpired
from shared.state import StateStore

REFRESH_AHEAD_SECONDS: Final = 30
# Longer than one refresh can take: recording it, Cognito's deadline, and keeping what came of it.
REFRESH_LOCK_SECONDS: Final = 20
OPERATION: Final = "GetTokensFromRefreshToken"
# What Cognito says of a session that it no longer honours.
OVER: Final = REFUSED | {"RefreshTokenReuseException"}
REUSED: Final = "refresh_token_reused"


class Refresh:
    """Refreshes sessions, one copy at a time: with rotation on, a token of Cognito's that is used twice looks stolen."""

    def __init__(
        self,
        *,
        store: SessionStore,
        state: StateStore,
        cognito: Cognito,
        recorder: Recorder,
        endings: Endings,
        clients: NativeClients,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._state = state
        self._cognito = cognito
        self._recorder = recorder
        self._endings = endings
        self._clients = clients
        self._clock = clock

    async def with_fresh_tokens(self, context: RequestContext, session: Session) -> Session:
        """
        Return the session with an access token that is good for a while yet, refreshed at Cognito where needed.

        Raises:
            SessionExpired: Cognito no longer honours the refresh token, or the session was ended meanwhile.
            Conflict: A twin of this request is refreshing right now.
            CognitoRefused, CognitoUnreachable: Cognito could not just now, or did not answer.
        """
        if self.is_fresh(session):
            return session
        async with self._alone(session):
            current = await self._store.read(session.key)
            if current is None:
                raise SessionExpired("ended meanwhile")
            if self.is_fresh(current):
                return current
            changed = await self._keep(current, await self._ask(context, current))
            await self._recorder.record(context, _rotated(changed, Outcome.SUCCESS))
            return changed

    def is_fresh(self, session: Session) -> bool:
        """Say whether a session's access token is good for a while yet."""
        return self._clock() < session.access_expires_at - REFRESH_AHEAD_SECONDS

    async def rotate(self, context: RequestContext, text: str) -> NativeTokens:
        """
        Trade an app's refresh token for new tokens.

        Raises:
            SessionExpired: The token is nobody's, its session is over, or it was used before: then its family is dead now.
            Conflict: A twin of this request is under way, or was first.
            ProviderBusy, ProviderError: Cognito could not just now, or did not answer; the token is still good.
            AuditUnavailable: It could not be recorded: nothing was done, or the session is over and its tokens are revoked.
        """
        token = refresh_tokens.parse(text)
        session = await self._store.read(token.key) if token is not None else None
        if token is None or session is None or session.client_id is None or session.client_id not in self._clients:
            raise SessionExpired("no such refresh token")
        if not token.is_current(session.refresh_digest):
            await self._kill(context, session)
            raise SessionExpired(REUSED)
        async with self._alone(session):
            try:
                return await self._rotate(context, session, token)
            except (CognitoRefused, CognitoUnreachable) as fault:
                raise fault.problem() from fault

    async def _rotate(self, context: RequestContext, session: Session, token: RefreshToken) -> NativeTokens:
        current = await self._store.read(session.key)
        if current is None:
            raise SessionExpired("ended meanwhile")
        if not token.is_current(current.refresh_digest):
            raise Conflict("a twin was first")
        await self._recorder.record(context, _rotated(current, Outcome.PENDING))
        tokens = await self._ask(context, current)
        successor = token.successor()
        changed = await self._keep(
            current, tokens, if_token_is=token.digest, refresh_digest=successor.digest, last_seen_at=self._clock()
        )
        await self._store.admit(changed)
        try:
            await self._recorder.record(context, _rotated(changed, Outcome.SUCCESS))
        except AuditUnavailable:
            await self._endings.undo(context, changed)
            raise
        return NativeTokens(changed.access_token, tokens.expires_in, successor.text)

    async def _kill(self, context: RequestContext, session: Session) -> None:
        reused = Draft(
            event_type=EventType.SESSION_REFRESH_REUSED,
            outcome=Outcome.DENIED,
            reason=REUSED,
            session_ref=session.ref,
            subject=subject_of(session),
            data={"client_id": session.client_id},
        )
        await self._recorder.record(context, reused)
        error = await self._endings.end(session)
        await self._recorder.record(context, revoked(session, reason=REUSED, error=error))

    async def _ask(self, context: RequestContext, session: Session) -> Tokens:
        try:
            return await self._cognito.refresh(session.refresh_token)
        except CognitoRefused as refusal:
            if refusal.code not in OVER:
                # Throttled or broken: it says nothing about this session.
                raise
            await self._store.delete(session)
            if session.client_id is None:
                context.set_cookie(cookies.clear_header(cookies.SESSION))
            await self._recorder.record(context, _expired(session, refusal))
            raise SessionExpired(str(refusal)) from refusal

    async def _keep(self, session: Session, tokens: Tokens, **changes: Any) -> Session:
        changed = await self._store.change(
            session,
            access_token=tokens.access_token,
            access_expires_at=self._clock() + tokens.expires_in,
            refresh_token=tokens.refresh_token or session.refresh_token,
            **changes,
        )
        if changed is None:
            # Ended while Cognito was asked: what it gave is nobody's.
            await self._endings.revoke(session, tokens.refresh_token or session.refresh_token)
            raise SessionExpired("ended meanwhile")
        return changed

    @asynccontextmanager
    async def _alone(self, session: Session) -> AsyncIterator[None]:
        lock = f"refresh:{session.key}"
        if not await self._state.add(lock, b"1", ttl_seconds=REFRESH_LOCK_SECONDS):
            raise Conflict("refresh under way")
        try:
            yield
        finally:
            await self._state.delete(lock)


def _rotated(session: Session, outcome: Outcome) -> Draft:
    return Draft(
        event_type=EventType.SESSION_ROTATED,
        outcome=outcome,
        session_ref=session.ref,
        subject=subject_of(session),
        cognito=CognitoRef(operation=OPERATION),
    )


def _expired(session: Session, refusal: CognitoRefused) -> Draft:
    return Draft(
        event_type=EventType.SESSION_EXPIRED,
        outcome=Outcome.FAILURE,
        reason="refresh_refused",
        session_ref=session.ref,
        subject=subject_of(session),
        cognito=CognitoRef(operation=refusal.operation, error=refusal.code),
    )
