"""What happens to sessions: made, used, refreshed inside, ended. Every change is an event."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from services.gateway import cookies, policy
from services.gateway.cognito.client import Tokens, claims_of
from services.gateway.natives import NativeClients
from services.gateway.recorder import Recorder
from services.gateway.sessions import refresh_tokens
from services.gateway.sessions.endings import Endings, subject_of
from services.gateway.sessions.model import Lives, NativeTokens, Session, SignedIn
from services.gateway.sessions.store import SessionStore
from shared.audit_trail import AuditUnavailable
from shared.events import CognitoRef, Draft, EventType, Outcome, email_hash, normal_address
from shared.http.context import RequestContext
from shared.ids import uuid7
from shared.problems import NotFound, SessionExpired, SessionRequired, StepUpRequired

# "Last seen" moves in steps, so that reading a page does not write on every request.
TOUCH_SECONDS: Final = 60
BY_OWNER: Final = "by_owner"
INVALID_TOKEN: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}  # RFC 6750 section 3.1


class Sessions:
    """Everything about sessions that handlers need."""

    def __init__(
        self,
        *,
        store: SessionStore,
        recorder: Recorder,
        endings: Endings,
        clients: NativeClients,
        email_hash_key: bytes,
        absolute: Lives,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._endings = endings
        self._clients = clients
        self._email_hash_key = email_hash_key
        self._absolute = absolute
        self._clock = clock

    async def open(
        self, context: RequestContext, tokens: Tokens, *closing: Draft, method: str, client_id: str | None
    ) -> SignedIn:
        """
        Make a session over tokens that were issued just now: stored, recorded, and only then given to the browser or the app.

        Raises:
            AuditUnavailable: The queue refused the closing events: the session is gone and its tokens are revoked.
        """
        if client_id is None:
            secret = cookies.new_secret()
            session = self._new(context, tokens, method, key=cookies.digest(secret))
            await self._open(context, session, closing)
            context.set_cookie(cookies.set_header(cookies.SESSION, secret, seconds=self._absolute.browser_seconds))
            return SignedIn(session)
        token = refresh_tokens.new()
        session = self._new(context, tokens, method, key=token.key, client_id=client_id, refresh_digest=token.digest)
        await self._open(context, session, closing)
        await self._store.admit(session)
        return SignedIn(session, NativeTokens(tokens.access_token, tokens.expires_in, token.text))

    def _new(self, context: RequestContext, tokens: Tokens, method: str, **rest: Any) -> Session:
        claims = claims_of(tokens.id_token)
        now = self._clock()
        address = normal_address(claims.email)
        session = Session(
            ref=str(uuid7()),
            sub=claims.sub,
            email=address,
            email_hash=email_hash(address, self._email_hash_key),
            email_verified=claims.email_verified,
            display_name=claims.name,
            groups=claims.groups,
            methods=(method,),
            authenticated_at=now,
            last_seen_at=now,
            expires_at=now,
            access_token=tokens.access_token,
            access_expires_at=now + tokens.expires_in,
            refresh_token=tokens.refresh_token or "",
            proven_at=now,
            ip=context.client.ip,
            country=context.client.country,
            user_agent=context.client.user_agent,
            **rest,
        )
        return replace(session, expires_at=now + self._absolute.of(session))

    async def _open(self, context: RequestContext, session: Session, closing: Sequence[Draft]) -> None:
        await self._store.put(session)
        created = Draft(
            event_type=EventType.SESSION_CREATED,
            outcome=Outcome.SUCCESS,
            session_ref=session.ref,
            subject=subject_of(session),
            data={"methods": list(session.methods), **({"client_id": session.client_id} if session.client_id else {})},
        )
        try:
            await self._recorder.record(context, *(replace(draft, session_ref=session.ref) for draft in closing), created)
        except AuditUnavailable:
            await self._endings.undo(context, session)
            raise

    async def require(self, context: RequestContext, cookie_header: str | None, *, is_use: bool = True) -> Session:
        """
        Return the session of a request, and move its "last seen".

        Args:
            context: Of the request.
            cookie_header: All its cookies.
            is_use: Whether a person is behind the request; if not, "last seen" stays where it is.

        Raises:
            SessionRequired: No session cookie came.
            SessionExpired: It is over; the cookie is taken away.
        """
        secret = cookies.read(cookie_header, cookies.SESSION)
        if secret is None:
            raise SessionRequired
        session = await self._store.read(cookies.digest(secret))
        # Half of an app's refresh token looks like a cookie, and is none.
        if session is None or session.client_id is not None:
            context.set_cookie(cookies.clear_header(cookies.SESSION))
            raise SessionExpired
        return await self._used(session) if is_use else session

    async def is_living(self, session: Session) -> bool:
        """Say whether a session goes on, without using it."""
        return await self._store.read(session.key) is not None

    async def require_native(self, token: str) -> Session:
        """
        Return the session of an app's access token, and move its "last seen".

        The token is looked for in our own state, never only checked offline: so a revoke holds at once.

        Raises:
            SessionExpired: The token is too old or nobody's, its session is over, or the app is no longer registered.
        """
        session = await self._store.of_access_token(token)
        if session is None or session.client_id is None or session.client_id not in self._clients:
            raise SessionExpired(headers=INVALID_TOKEN)
        return await self._used(session)

    async def end(self, context: RequestContext, session: Session) -> None:
        """Sign out here: recorded, taken out of the store, and the tokens revoked at Cognito."""
        subject = subject_of(session)
        await self._recorder.record(
            context,
            Draft(event_type=EventType.SESSION_ENDED, outcome=Outcome.PENDING, session_ref=session.ref, subject=subject),
        )
        # From here the person is signed out, whatever Cognito says.
        error = await self._endings.end(session)
        _take_cookie(context, session)
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
                await self._revoke_all(context, session, [one], EventType.SESSION_REVOKED, BY_OWNER)
                return
        raise NotFound("session")

    async def revoke_others(self, context: RequestContext, session: Session, *, reason: str) -> None:
        """End every session of the account but this one."""
        others = [one for one in await self._store.of_account(session.sub) if one.key != session.key]
        await self._revoke_all(context, session, others, EventType.SESSION_ALL_REVOKED, reason)

    async def revoke_everywhere(
        self, context: RequestContext, session: Session, *closing: Draft, reason: str = BY_OWNER
    ) -> None:
        """End every session of the account, this one as well; `closing` is recorded with it."""
        found = await self._store.of_account(session.sub)
        await self._revoke_all(context, session, found, EventType.SESSION_ALL_REVOKED, reason, *closing)
        _take_cookie(context, session)

    async def prove(self, session: Session) -> Session:
        """Note that the person of a session proved a factor just now."""
        return await self.change(session, proven_at=self._clock())

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

    async def change(self, session: Session, **changes: Any) -> Session:
        """
        Change some fields of a session; return it.

        Raises:
            SessionExpired: It was ended meanwhile.
        """
        changed = await self._store.change(session, **changes)
        if changed is None:
            raise SessionExpired("ended meanwhile")
        return changed

    async def _used(self, session: Session) -> Session:
        now = self._clock()
        return await self.change(session, last_seen_at=now) if now - session.last_seen_at >= TOUCH_SECONDS else session

    async def _revoke_all(
        self,
        context: RequestContext,
        actor: Session,
        sessions: list[Session],
        event_type: EventType,
        reason: str,
        *closing: Draft,
    ) -> None:
        drafts = [
            Draft(
                event_type=event_type,
                outcome=Outcome.SUCCESS,
                reason=reason,
                session_ref=one.ref,
                subject=subject_of(one),
                data={"by_session": actor.ref},
            )
            for one in sessions
        ]
        if drafts or closing:
            await self._recorder.record(context, *drafts, *closing)
        for one in sessions:
            await self._endings.end(one)


def _take_cookie(context: RequestContext, session: Session) -> None:
    if session.client_id is None:
        context.set_cookie(cookies.clear_header(cookies.SESSION))
