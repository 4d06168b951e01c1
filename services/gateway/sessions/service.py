"""What happens to sessions: made, used, refreshed inside, ended. Every change is an event."""

import time
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from services.gateway import cookies, policy
from services.gateway.cognito.client import Cognito, Tokens, claims_of
from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.recorder import Recorder
from services.gateway.sessions.model import Session
from services.gateway.sessions.store import SessionStore
from shared.audit_trail import AuditUnavailable
from shared.events import CognitoRef, Draft, EventType, Outcome, Subject, email_hash, normal_address
from shared.http.context import RequestContext
from shared.ids import uuid7
from shared.problems import Conflict, NotFound, SessionExpired, SessionRequired, StepUpRequired
from shared.state import StateStore

log = structlog.get_logger(__name__)

# "Last seen" moves in steps, so that reading a page does not write on every request.
TOUCH_SECONDS: Final = 60
REFRESH_AHEAD_SECONDS: Final = 30
REFRESH_LOCK_SECONDS: Final = 10


class Sessions:
    """Everything about sessions that handlers need."""

    def __init__(
        self,
        *,
        store: SessionStore,
        state: StateStore,
        cognito: Cognito,
        recorder: Recorder,
        email_hash_key: bytes,
        absolute_seconds: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._state = state
        self._cognito = cognito
        self._recorder = recorder
        self._email_hash_key = email_hash_key
        self._absolute_seconds = absolute_seconds
        self._clock = clock

    def of_tokens(self, context: RequestContext, tokens: Tokens, *, method: str) -> tuple[Session, str]:
        """Return a new session over tokens that were issued just now, and the cookie's secret. Nothing is stored yet."""
        claims = claims_of(tokens.id_token)
        secret = cookies.new_secret()
        now = self._clock()
        address = normal_address(claims.email)
        session = Session(
            ref=str(uuid7()),
            key=cookies.digest(secret),
            sub=claims.sub,
            email=address,
            email_hash=email_hash(address, self._email_hash_key),
            email_verified=claims.email_verified,
            display_name=claims.name,
            groups=claims.groups,
            methods=(method,),
            authenticated_at=now,
            last_seen_at=now,
            expires_at=now + self._absolute_seconds,
            access_token=tokens.access_token,
            access_expires_at=now + tokens.expires_in,
            refresh_token=tokens.refresh_token or "",
            proven_at=now,
            ip=context.client.ip,
            country=context.client.country,
            user_agent=context.client.user_agent,
        )
        return session, secret

    async def open(self, context: RequestContext, session: Session, secret: str, *closing: Draft) -> None:
        """
        Make a session real: stored, recorded, and only then given to the browser.

        Raises:
            AuditUnavailable: The queue refused the closing events: the session is gone and its tokens are revoked.
        """
        await self._store.put(session)
        created = Draft(
            event_type=EventType.SESSION_CREATED,
            outcome=Outcome.SUCCESS,
            session_ref=session.ref,
            subject=_subject(session),
            data={"methods": list(session.methods)},
        )
        try:
            await self._recorder.record(
                context, *(msgspec.structs.replace(draft, session_ref=session.ref) for draft in closing), created
            )
        except AuditUnavailable:
            await self._undo(context, session)
            raise
        context.set_cookie(cookies.set_header(cookies.SESSION, secret, seconds=self._absolute_seconds))

    async def require(self, context: RequestContext, cookie_header: str | None) -> Session:
        """
        Return the session of a request, and move its "last seen".

        Raises:
            SessionRequired: No session cookie came.
            SessionExpired: It is over; the cookie is taken away.
        """
        secret = cookies.read(cookie_header, cookies.SESSION)
        if secret is None:
            raise SessionRequired
        session = await self._store.read(cookies.digest(secret))
        if session is None:
            context.set_cookie(cookies.clear_header(cookies.SESSION))
            raise SessionExpired
        now = self._clock()
        if now - session.last_seen_at >= TOUCH_SECONDS:
            session = msgspec.structs.replace(session, last_seen_at=now)
            await self._store.put(session)
        return session

    async def end(self, context: RequestContext, session: Session) -> None:
        """Sign out here: recorded, taken out of the store, and the tokens revoked at Cognito."""
        subject = _subject(session)
        await self._recorder.record(
            context,
            Draft(event_type=EventType.SESSION_ENDED, outcome=Outcome.PENDING, session_ref=session.ref, subject=subject),
        )
        # From here the browser is signed out, whatever Cognito says.
        await self._store.delete(session)
        context.set_cookie(cookies.clear_header(cookies.SESSION))
        error = await self._revoke(session)
        await self._recorder.record(
            context,
            Draft(
                event_type=EventType.SESSION_ENDED,
                outcome=Outcome.SUCCESS if error is None else Outcome.ERROR,
                session_ref=session.ref,
                subject=subject,
                cognito=CognitoRef(operation="RevokeToken", error=error),
            ),
        )

    async def of_account(self, session: Session) -> list[Session]:
        """Return all living sessions of the account that a session belongs to."""
        return await self._store.of_account(session.sub)

    async def revoke(self, context: RequestContext, session: Session, ref: str) -> None:
        """
        End another session of the same account, or this one.

        Raises:
            NotFound: The account has no such session.
        """
        for one in await self._store.of_account(session.sub):
            if one.ref == ref:
                await self._revoke_all(context, session, [one], EventType.SESSION_REVOKED)
                return
        raise NotFound("session")

    async def revoke_everywhere(self, context: RequestContext, session: Session) -> None:
        """End every session of the account, this one as well."""
        await self._revoke_all(context, session, await self._store.of_account(session.sub), EventType.SESSION_ALL_REVOKED)
        context.set_cookie(cookies.clear_header(cookies.SESSION))

    async def prove(self, session: Session) -> Session:
        """Note that the person of a session proved a factor just now."""
        session = msgspec.structs.replace(session, proven_at=self._clock())
        await self._store.put(session)
        return session

    def fresh_until(self, session: Session) -> float | None:
        """Return until when the last proof is fresh (Unix seconds), or None when it no longer is."""
        until = session.proven_at + policy.FRESH_SECONDS
        return until if self._clock() < until else None

    def require_fresh(self, session: Session) -> None:
        """
        Ask for a factor that was proven lately. Source: NIST SP 800-63B-4 section 4.1.

        Raises:
            StepUpRequired: The last proof is too long ago.
        """
        if self.fresh_until(session) is None:
            raise StepUpRequired(extensions={"next": "/step-ups"})

    async def with_fresh_tokens(self, context: RequestContext, session: Session) -> Session:
        """
        Return the session with an access token that is good for a while yet, refreshed at Cognito where needed.

        Raises:
            SessionExpired: Cognito no longer honours the refresh token: the session is over.
            Conflict: A twin of this request is refreshing right now.
            CognitoUnreachable: Cognito did not answer.
        """
        if self._clock() < session.access_expires_at - REFRESH_AHEAD_SECONDS:
            return session
        # One copy refreshes: with rotation on, a refresh token that is used twice looks stolen.
        if not await self._state.add(f"refresh:{session.key}", b"1", ttl_seconds=REFRESH_LOCK_SECONDS):
            raise Conflict("refresh under way")
        try:
            return await self._refresh(context, session)
        finally:
            await self._state.delete(f"refresh:{session.key}")

    async def change(self, session: Session) -> None:
        """Store a session that was changed."""
        await self._store.put(session)

    async def _refresh(self, context: RequestContext, session: Session) -> Session:
        current = await self._store.read(session.key)
        if current is not None and self._clock() < current.access_expires_at - REFRESH_AHEAD_SECONDS:
            return current
        subject = _subject(session)
        try:
            tokens = await self._cognito.refresh(session.refresh_token)
        except CognitoRefused as refusal:
            await self._store.delete(session)
            context.set_cookie(cookies.clear_header(cookies.SESSION))
            await self._recorder.record(
                context,
                Draft(
                    event_type=EventType.SESSION_EXPIRED,
                    outcome=Outcome.FAILURE,
                    reason="refresh_refused",
                    session_ref=session.ref,
                    subject=subject,
                    cognito=CognitoRef(operation=refusal.operation, error=refusal.code),
                ),
            )
            raise SessionExpired(str(refusal)) from refusal
        changed = msgspec.structs.replace(
            session,
            access_token=tokens.access_token,
            access_expires_at=self._clock() + tokens.expires_in,
            refresh_token=tokens.refresh_token or session.refresh_token,
        )
        await self._store.put(changed)
        await self._recorder.record(
            context,
            Draft(
                event_type=EventType.SESSION_ROTATED,
                outcome=Outcome.SUCCESS,
                session_ref=session.ref,
                subject=subject,
                cognito=CognitoRef(operation="GetTokensFromRefreshToken"),
            ),
        )
        return changed

    async def _revoke_all(
        self, context: RequestContext, actor: Session, sessions: list[Session], event_type: EventType
    ) -> None:
        drafts = [
            Draft(
                event_type=event_type,
                outcome=Outcome.SUCCESS,
                reason="by_owner",
                session_ref=one.ref,
                subject=_subject(one),
                data={"by_session": actor.ref},
            )
            for one in sessions
        ]
        if drafts:
            await self._recorder.record(context, *drafts)
        for one in sessions:
            # Out of the store first: from here no copy of the gateway knows the session, whatever Cognito says.
            await self._store.delete(one)
            await self._revoke(one)

    async def _undo(self, context: RequestContext, session: Session) -> None:
        await self._store.delete(session)
        error = await self._revoke(session)
        await self._recorder.announce(
            context,
            [
                Draft(
                    event_type=EventType.SESSION_REVOKED,
                    outcome=Outcome.SUCCESS if error is None else Outcome.ERROR,
                    reason="audit_unavailable",
                    session_ref=session.ref,
                    subject=_subject(session),
                    cognito=CognitoRef(operation="RevokeToken", error=error),
                )
            ],
        )

    async def _revoke(self, session: Session) -> str | None:
        try:
            await self._cognito.revoke(session.refresh_token)
        except CognitoRefused as refusal:
            log.warning("session.revoke_refused", session_ref=session.ref, code=refusal.code)
            return refusal.code
        except CognitoUnreachable as error:
            log.warning("session.revoke_failed", session_ref=session.ref, error=str(error))
            return "Unreachable"
        return None


def _subject(session: Session) -> Subject:
    return Subject(sub=session.sub, email_hash=session.email_hash)
