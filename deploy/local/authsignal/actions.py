"""Actions: track, read, query, update, validate. Proofs move them in `proofs`."""

import re
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from deploy.local.authsignal import devices
from deploy.local.authsignal.addresses import check_email, check_phone
from deploy.local.authsignal.errors import ApiError, AuthenticatorNotFound, InvalidRequest, NotFound
from deploy.local.authsignal.model import Action, ActionState, Outcome, User, VerificationMethod
from deploy.local.authsignal.scopes import parse_scope
from deploy.local.authsignal.states import initial_state
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.views import timestamp
from deploy.local.authsignal.webhooks import events
from deploy.local.authsignal.wire import TrackRequest, TrackView, ValidateRequest, ValidateView

_ACTION_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_action_code(code: str) -> str:
    """
    Give back a well-formed action code.

    Raises:
        InvalidRequest: Not 1 to 64 letters, digits, underscores and hyphens.
    """
    if not _ACTION_CODE.fullmatch(code):
        raise InvalidRequest("An action code has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.")
    return code


def track(tenant: Tenant, user_id: str, code: str, request: TrackRequest) -> TrackView:
    """
    Record that a user attempts an action, and say whether they must prove themselves.

    A key that was tracked before gives the stored instance and a fresh token; the rules are not run again.

    Raises:
        InvalidRequest: The action code or an address is malformed.
        AuthenticatorNotFound: The tenant has no method switched on.
    """
    check_action_code(code)
    if not tenant.tunables.methods:
        raise AuthenticatorNotFound("No authenticator is configured for this tenant.")
    with tenant.store.transaction():
        user = _remember_user(tenant, user_id, request)
        key = request.idempotency_key or str(uuid.uuid4())
        action = tenant.store.action(user_id, code, key) or new_action(tenant, user, code, key, request)
    methods = tenant.enrolled_methods(user_id)
    token = tenant.mint(claims_of(action, parse_scope(request.scope)))
    return TrackView(
        idempotency_key=key,
        state=action.state,
        url=f"{tenant.settings.ui_url}/?token={token}",
        token=token,
        is_enrolled=bool(methods),
        enrolled_verification_methods=methods,
        allowed_verification_methods=allowed_methods(tenant, action),
        rule_ids=[rule.rule_id for rule in action.rules],
        default_verification_method=action.default_method or tenant.default_method(user),
    )


def allowed_methods(tenant: Tenant, action: Action) -> list[VerificationMethod]:
    """What the user may be offered for an action: the tenant's methods, unless the deciding rule narrowed them."""
    wanted = action.allowed_methods
    return [method for method in tenant.tunables.methods if wanted is None or method in wanted]


def _remember_user(tenant: Tenant, user_id: str, request: TrackRequest) -> User:
    user = tenant.user_or_new(user_id)
    if request.email and request.email != user.email:
        user.email, user.email_verified = check_email(request.email), False
    if request.phone_number and request.phone_number != user.phone_number:
        user.phone_number, user.phone_number_verified = check_phone(request.phone_number), False
    user.username = request.username or user.username
    tenant.store.save_user(user)
    return user


def new_action(tenant: Tenant, user: User, code: str, key: str, request: TrackRequest) -> Action:
    """
    Run the rules about a fresh action of a stored user, and store what they decide.

    Raises:
        InvalidRequest: The address to return to is not one that a browser may be sent to.
    """
    enrolled = bool(tenant.verified_authenticators(user.user_id))
    otherwise = tenant.outcomes.decide(code, default=tenant.tunables.default_outcome)
    decided = tenant.rules.decide(code, _facts(tenant, user, code, request), otherwise=otherwise)
    devices.note_seen(tenant, user.user_id, request.device_id)
    now = tenant.clock.now()
    action = Action(
        user_id=user.user_id,
        action_code=code,
        idempotency_key=key,
        state=initial_state(decided.outcome, is_enrolled=enrolled),
        outcome=decided.outcome,
        created_at=now,
        updated_at=now,
        state_updated_at=now,
        locale=request.locale,
        device_id=request.device_id,
        ip_address=request.ip_address,
        user_agent=request.user_agent,
        custom=request.custom,
        redirect_url=_check_redirect_url(request.redirect_url),
        rules=decided.matched,
        allowed_methods=decided.allowed_methods,
        default_method=decided.default_method,
    )
    _begin(tenant, action)
    return action


def _facts(tenant: Tenant, user: User, code: str, request: TrackRequest) -> dict[str, Any]:
    return {
        "user": {
            "id": user.user_id,
            "email": user.email,
            "phoneNumber": user.phone_number,
            "isEnrolled": bool(tenant.verified_authenticators(user.user_id)),
            "custom": user.custom or {},
        },
        # Nothing on this machine knows about anonymising networks; a rule on them never matches.
        "ip": {"address": request.ip_address, "isAnonymous": False},
        "device": devices.facts(tenant, user.user_id, request.device_id, request.user_agent),
        "action": {"code": code},
        "custom": request.custom or {},
    }


def _check_redirect_url(url: str | None) -> str | None:
    """A script or data address would run in the pre-built page."""
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        raise InvalidRequest("redirectUrl must be an http or https address.")
    return url


def _begin(tenant: Tenant, action: Action) -> None:
    tenant.store.save_action(action)
    name = (action.user_id, action.action_code, action.idempotency_key)

    def record() -> dict[str, Any] | None:
        found = tenant.store.action(*name)
        return events.action_log(found, tenant_id=tenant.settings.tenant_id) if found else None

    tenant.webhooks.log("action.log_created", record)


def untracked_action(tenant: Tenant, user_id: str, code: str, key: str) -> Action:
    """An action that starts with a challenge instead of a track; stored, waiting for its proof."""
    now = tenant.clock.now()
    action = Action(
        user_id=user_id,
        action_code=code,
        idempotency_key=key,
        state=ActionState.CHALLENGE_REQUIRED,
        outcome=Outcome.CHALLENGE,
        created_at=now,
        updated_at=now,
        state_updated_at=now,
    )
    _begin(tenant, action)
    return action


def set_state(tenant: Tenant, action: Action, state: ActionState) -> None:
    """Store a state; its time moves only if it changed."""
    now = tenant.clock.now()
    if state is not action.state:
        action.state, action.state_updated_at = state, now
    action.updated_at = now
    tenant.store.save_action(action)


def claims_of(action: Action, scopes: tuple[str, ...]) -> TokenClaims:
    """What a token for this action says."""
    return TokenClaims(
        user_id=action.user_id,
        action_code=action.action_code,
        idempotency_key=action.idempotency_key,
        scopes=scopes,
    )


def get_action(tenant: Tenant, user_id: str, code: str, key: str) -> Action:
    """
    One action instance.

    Raises:
        NotFound: It was never tracked, or its user was deleted.
    """
    action = tenant.store.action(user_id, code, key)
    if action is None:
        raise NotFound("No such action.")
    return action


def query_actions(tenant: Tenant, user_id: str, *, from_date: str | None, codes: str | None, state: str | None) -> list[Action]:
    """
    A user's actions that match every filter given, oldest first.

    Args:
        from_date: ISO 8601; actions created earlier are left out.
        codes: Action codes joined by commas.
        state: One state.

    Raises:
        InvalidRequest: The date or the state is not one.
    """
    since = unix_seconds(from_date, "fromDate") if from_date else 0.0
    wanted = set(codes.split(",")) if codes else None
    if state is not None and state not in list(ActionState):
        raise InvalidRequest(f"No such state: {state}.")
    return [
        action
        for action in tenant.store.actions(user_id)
        if action.created_at >= since
        and (wanted is None or action.action_code in wanted)
        and (state is None or action.state == state)
    ]


def unix_seconds(date: str, name: str) -> float:
    """
    Read a date that came in under a name; without a zone it counts as UTC.

    Raises:
        InvalidRequest: It is not in ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(date)
    except ValueError as error:
        raise InvalidRequest(f"{name} is not an ISO 8601 date.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def validate(tenant: Tenant, request: ValidateRequest) -> ValidateView:
    """
    Say how the action of a token stands, provided that it is the expected user and action.

    Either kind of token will do, as often as the caller likes: the answer is about the action. A wrong user or action
    is an answer, not an error, and tells nothing about the action.

    Raises:
        InvalidRequest: The token cannot be read, and the tenant is tuned to refuse that.
    """
    try:
        claims = tenant.tokens.read(request.token, now=tenant.clock.now())
        action = get_action(tenant, claims.user_id, claims.action_code, claims.idempotency_key)
    except ApiError as error:
        if tenant.tunables.invalid_token_status == 400:
            raise InvalidRequest("The token is invalid.") from error
        return ValidateView(is_valid=False, error="Token is invalid.")
    if request.user_id is not None and request.user_id != action.user_id:
        return ValidateView(is_valid=False, error="User is invalid.")
    if request.action is not None and request.action != action.action_code:
        return ValidateView(is_valid=False, error="Action is invalid.")
    return ValidateView(
        is_valid=action.state in tenant.tunables.valid_states,
        state=action.state,
        state_updated_at=timestamp(action.state_updated_at),
        user_id=action.user_id,
        action=action.action_code,
        action_code=action.action_code,
        idempotency_key=action.idempotency_key,
        verification_method=action.verification_method,
    )
