"""What happened to one's account lately: asked of the audit service, with a credential that may ask about anybody."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import msgspec

from services.gateway.devices import device_name
from services.gateway.sessions.model import Session
from services.gateway.views import ActivityView
from shared.http.context import RequestContext
from shared.problems import ProviderBusy, ProviderError, retry_after

ANSWER_SECONDS_MAX: Final = 5
LOOK_BACK_DAYS: Final = 30
# What a person recognises; the rest of the story is for the security team.
SHOWN: Final = (
    "sign_in.succeeded",
    "sign_in.failed",
    "sign_in.blocked",
    "sign_in.under_review",
    "sign_in.review.approved",
    "sign_in.review.rejected",
    "account.user.created",
    "account.address.verified",
    "account.profile.changed",
    "account.user.deleted",
    "authenticator.added",
    "authenticator.removed",
    "authenticator.renamed",
    "session.ended",
    "session.refresh.reused",
    "session.revoked",
    "session.all.revoked",
    "step_up.succeeded",
    "step_up.failed",
    "step_up.blocked",
    "step_up.under_review",
    "step_up.review.approved",
    "step_up.review.rejected",
    "step_up.consumed",
)
# Pending because somebody has yet to decide, where every other pending event only opens a story that another one ends.
WAITING: Final = frozenset({"sign_in.under_review", "step_up.under_review"})


class Activity:
    """
    Reads the log on behalf of its subject.

    Args:
        token: A service token of the audit service; without one there is no activity to show.
    """

    def __init__(self, http: aiohttp.ClientSession, *, audit_url: str, token: str | None) -> None:
        self._http = http
        self._url = f"{audit_url.rstrip('/')}/v1/events"
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)

    async def of(self, context: RequestContext, session: Session, *, limit: int) -> list[ActivityView]:
        """
        Return the newest events about a person.

        Raises:
            ProviderBusy, ProviderError: The audit service did not answer, or not with events.
        """
        if self._token is None:
            return []
        since = datetime.now(UTC) - timedelta(days=LOOK_BACK_DAYS)
        query = [
            ("subject", session.sub),
            ("from", since.strftime("%Y-%m-%dT%H:%M:%SZ")),
            ("limit", str(limit)),
            ("order", "desc"),
            *(("type", event_type) for event_type in SHOWN),
        ]
        headers = {"Authorization": f"Bearer {self._token}", "X-Request-Id": context.request_id}
        try:
            async with self._http.get(self._url, params=query, headers=headers, timeout=self._timeout) as answer:
                content = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, OSError) as error:
            raise ProviderBusy(f"audit: {type(error).__name__}", headers=retry_after(2)) from error
        if status != 200:
            raise ProviderError(f"audit: {status}")
        events = (item for item in msgspec.json.decode(content)["events"] if item["event"] is not None)
        return [_view(item) for item in events if _is_shown(item["event"])]


def _is_shown(event: dict[str, Any]) -> bool:
    return event["outcome"] != "pending" or event["event_type"] in WAITING


def _view(item: dict[str, Any]) -> ActivityView:
    event = item["event"]
    # Where the operator was is none of the person's business.
    is_own = (event.get("actor") or {}).get("kind") != "operator"
    client = (event.get("client") if is_own else None) or {}
    return ActivityView(
        id=event["event_id"],
        occurred_at=event["occurred_at"],
        type=event["event_type"],
        outcome=event["outcome"],
        method=(event.get("authsignal") or {}).get("method"),
        ip=client.get("ip"),
        device=device_name(client.get("user_agent")) if client.get("user_agent") else None,
        receipt=f"{event['event_id']}:{item['leaf_hash']}",
    )
