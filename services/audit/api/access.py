"""
Who may read the log.

Rules: health, checkpoint, tiles, the log's public keys and the console's files are open to all. For everything else the caller
sends ``Authorization: Bearer`` with either a Cognito access token of one of our clients whose user is in the group
`security-auditors`, or a service token of which the settings hold the SHA-256. A service token only reads, unless its line says
that it manages: whatever is no safe method needs that. Everything else is refused, and each refusal is itself in the log before
the answer leaves.
"""

import hashlib
import hmac
import re
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from services.audit.api.problems import ReadNotRecorded
from services.audit.api.routes import operations_route
from services.audit.pages import is_console
from shared.audit_trail import AuditTrail, AuditUnavailable
from shared.cognito_tokens import KeysUnavailable, TokenInvalid, TokenVerifier
from shared.events import Actor, Draft, EventType, HttpRef, Outcome, clean_text
from shared.http.context import RequestContext
from shared.http.middleware import KNOWN_METHODS, Headers, Scope
from shared.problems import Forbidden, ProviderBusy, Unauthorized, retry_after
from shared.settings import SettingsError

AUDITORS: Final = "security-auditors"
CHECKPOINT_PATH: Final = "/log/checkpoint"
KEYS_PATH: Final = "/log/keys"
TILE_PREFIX: Final = "/log/tile/"
BUNDLE_PREFIX: Final = "/log/tile/entries/"
BUNDLE_ROUTE: Final = "/log/tile/entries/{index}"
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", CHECKPOINT_PATH, KEYS_PATH})
TOKEN_LINE: Final = re.compile(r"([A-Za-z0-9_.-]{1,64}):([0-9a-f]{64})(?::(read|manage))?")
# They change nothing. Source: RFC 9110 section 9.2.1.
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
EVENTS_PATH: Final = "/v1/events"
TAIL_PATH: Final = "/v1/events/tail"
EVENT_ROUTE: Final = "/v1/events/{event_id}"
PROOF_ROUTE: Final = "/v1/events/{event_id}/proof"
COMPLETENESS_PATH: Final = "/v1/completeness"
STATS_PATH: Final = "/v1/stats"
TOP_PATH: Final = "/v1/stats/top"
SUBJECT_ROUTE: Final = "/v1/subjects/{sub}"
SUBJECT_READS_ROUTE: Final = "/v1/subjects/{sub}/reads"
SESSION_ROUTE: Final = "/v1/sessions/{ref}"
ATTEMPT_ROUTE: Final = "/v1/attempts/{attempt_id}"
SEARCHES_PATH: Final = "/v1/searches"
SEARCH_ROUTE: Final = "/v1/searches/{search_id}"
ERASURES_PATH: Final = "/v1/erasures"
HOLDS_PATH: Final = "/v1/holds"
HOLD_ROUTE: Final = "/v1/holds/{hold_id}"
EXPORTS_PATH: Final = "/v1/exports"
EXPORT_FILE_ROUTE: Final = "/v1/exports/{export_id}/file"
STREAMS_PATH: Final = "/v1/streams"
ARCHIVE_PATH: Final = "/v1/archive"
RETENTION_PATH: Final = "/v1/retention"
PATHS: Final = frozenset(
    {EVENTS_PATH, TAIL_PATH, COMPLETENESS_PATH, STATS_PATH, TOP_PATH, SEARCHES_PATH, ERASURES_PATH, HOLDS_PATH}
    | {EXPORTS_PATH, STREAMS_PATH, ARCHIVE_PATH, RETENTION_PATH}
)
# Of paths with something made up in them: what they begin with, what they end with, and what they are called.
TEMPLATES: Final = (
    (EVENTS_PATH + "/", "/proof", PROOF_ROUTE),
    (EVENTS_PATH + "/", "", EVENT_ROUTE),
    ("/v1/subjects/", "/reads", SUBJECT_READS_ROUTE),
    ("/v1/subjects/", "", SUBJECT_ROUTE),
    ("/v1/sessions/", "", SESSION_ROUTE),
    ("/v1/attempts/", "", ATTEMPT_ROUTE),
    (SEARCHES_PATH + "/", "", SEARCH_ROUTE),
    (HOLDS_PATH + "/", "", HOLD_ROUTE),
    (EXPORTS_PATH + "/", "/file", EXPORT_FILE_ROUTE),
    (BUNDLE_PREFIX, "", BUNDLE_ROUTE),
)


class TokenScope(StrEnum):
    """What a service token may do: `read` shows everything that an auditor sees, `manage` also changes."""

    READ = "read"
    MANAGE = "manage"


class ServiceToken(NamedTuple):
    """The token of a machine: its name for the log, the SHA-256 of the token, and what it may do."""

    owner: str
    digest: bytes
    scope: TokenScope


class ServiceTokens:
    """The tokens of machines."""

    def __init__(self, tokens: list[ServiceToken]) -> None:
        self._tokens = tokens

    @classmethod
    def read(cls, path: str) -> "ServiceTokens":
        """
        Read a file with one ``name:sha256hex[:scope]`` a line; empty lines and lines that start with # are skipped.

        Without a scope a token reads. A name may stand there twice, for the time of a rotation. A token holds no dots, or it is
        taken for a JWT.

        Raises:
            SettingsError: The file cannot be read, or a line has another form; the line's number is named, never its text.
        """
        try:
            lines = Path(path).read_text().splitlines()
        except OSError as error:
            raise SettingsError(f"token file {path}: {error.strerror or error}") from error
        tokens = []
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            match = TOKEN_LINE.fullmatch(line.strip())
            if match is None:
                raise SettingsError(
                    f"token file {path}: line {number} is not name:sha256 with 64 lower-case hex digits,"
                    f" alone or with :{TokenScope.READ} or :{TokenScope.MANAGE} behind them"
                )
            tokens.append(ServiceToken(match[1], bytes.fromhex(match[2]), TokenScope(match[3] or TokenScope.READ)))
        return cls(tokens)

    def find(self, token: str) -> ServiceToken | None:
        """Return what is known of a token. Every one is compared, in constant time, so that the time tells nothing."""
        digest = hashlib.sha256(token.encode()).digest()
        found = [one for one in self._tokens if hmac.compare_digest(digest, one.digest)]
        return found[0] if found else None


class AccessGuard:
    """
    Lets auditors in and records who was refused. See the rules above.

    The trail and the verifier need the running loop; `open` hands them over when the server starts.
    """

    def __init__(self, tokens: ServiceTokens) -> None:
        self._tokens = tokens
        self._trail: AuditTrail | None = None
        self._verifier: TokenVerifier | None = None

    def open(self, trail: AuditTrail, verifier: TokenVerifier) -> None:
        """Begin to let callers in."""
        self._trail, self._verifier = trail, verifier

    async def __call__(self, scope: Scope, headers: Headers, context: RequestContext) -> None:
        """See `Guard`; leaves in the scope's state the caller, an `Actor`, and until when (Unix seconds; None: no end)."""
        if is_open(scope["path"]):
            return
        try:
            scope["state"]["caller"], scope["state"]["caller_until"] = await self._caller(scope["method"], headers)
        except (Unauthorized, Forbidden) as refusal:
            await self._record(scope, context, refusal)
            raise

    async def _caller(self, method: str, headers: Headers) -> tuple[Actor, int | None]:
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorized("no_credential", headers=CHALLENGE)
        token = token.strip()
        if token.count(".") == 2:
            return await self._auditor(token)
        known = self._tokens.find(token)
        if known is None:
            raise Unauthorized("unknown_service_token", headers=CHALLENGE)
        actor = Actor(kind="service", id=known.owner)
        if method not in SAFE_METHODS and known.scope is not TokenScope.MANAGE:
            raise _NotAllowed("wrong_scope", actor, "This service token only reads. Changes need one with the scope manage.")
        return actor, None

    async def _auditor(self, token: str) -> tuple[Actor, int]:
        if self._verifier is None:
            raise ProviderBusy("not started", headers=retry_after(1))
        try:
            claims = await self._verifier.verify(token)
        except TokenInvalid as error:
            raise Unauthorized(f"token: {error}", headers=CHALLENGE) from error
        except KeysUnavailable as error:
            raise ProviderBusy(f"token keys: {error}", headers=retry_after(5)) from error
        actor = Actor(kind="user", id=claims.sub)
        if AUDITORS not in claims.groups:
            raise _NotAllowed(
                "wrong_group", actor, f"Reading the audit log needs the group {AUDITORS}. Ask your administrator."
            )
        return actor, claims.expires_at

    async def _record(self, scope: Scope, context: RequestContext, refusal: Unauthorized | Forbidden) -> None:
        if self._trail is None:
            return
        context.route = _route(scope["path"])
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "OTHER"
        try:
            context.receipt = await self._trail.record(
                Draft(
                    event_type=EventType.AUDIT_ACCESS_REFUSED,
                    outcome=Outcome.DENIED,
                    reason=clean_text(refusal.reason or refusal.code, 128),
                    request_id=context.request_id,
                    trace_id=context.trace_id,
                    actor=refusal.actor if isinstance(refusal, _NotAllowed) else None,
                    client=context.client,
                    http=HttpRef(method=method, route=context.route, status=refusal.status),
                )
            )
        except AuditUnavailable as error:
            raise ReadNotRecorded(str(error), headers=retry_after(2)) from error


class _NotAllowed(Forbidden):
    """A good credential of somebody who may not do this."""

    def __init__(self, reason: str, actor: Actor, detail: str) -> None:
        super().__init__(reason, detail=detail)
        self.actor = actor


def is_open(path: str) -> bool:
    """Say whether a path needs no credential: it tells nothing about anybody."""
    if path in OPEN_PATHS or is_console(path):
        return True
    # Named by what a tile begins with, so that no other spelling of a bundle's path slips through.
    return path.startswith(TILE_PREFIX) and path[len(TILE_PREFIX) : len(TILE_PREFIX) + 1].isdigit()


def _route(path: str) -> str:
    """Return the template of a path: a path that somebody made up has no place in an event."""
    if path in PATHS:
        return path
    fitting = (route for start, end, route in TEMPLATES if path.startswith(start) and path.endswith(end))
    return next(fitting, None) or operations_route(path) or "unmatched"
