"""Records as the APIs show them. Pure."""

from datetime import UTC, datetime

from deploy.local.authsignal.model import Action, Authenticator, User, VerificationMethod
from deploy.local.authsignal.wire import ActionListItem, ActionView, AuthenticatorView, UserView


def timestamp(seconds: float) -> str:
    """ISO 8601 with milliseconds and Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def optional_timestamp(seconds: float | None) -> str | None:
    """The same for a moment that may not have come yet."""
    return None if seconds is None else timestamp(seconds)


def mask_email(email: str) -> str:
    """Keep the first character and the domain."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"


def mask_phone(phone_number: str) -> str:
    """Keep the last three digits."""
    return f"***{phone_number[-3:]}"


def authenticator_view(item: Authenticator, *, masked: bool = False) -> AuthenticatorView:
    """An authenticator as the Server API shows it, or, masked, as the Client API does."""
    email, phone_number = item.email, item.phone_number
    if masked:
        email = mask_email(email) if email else None
        phone_number = mask_phone(phone_number) if phone_number else None
    return AuthenticatorView(
        user_id=item.user_id,
        user_authenticator_id=item.user_authenticator_id,
        verification_method=item.verification_method,
        created_at=timestamp(item.created_at),
        is_default=item.is_default,
        verified_at=optional_timestamp(item.verified_at),
        last_verified_at=optional_timestamp(item.last_verified_at),
        email=email,
        phone_number=phone_number,
    )


def user_list_item(user: User, *, methods: list[VerificationMethod]) -> UserView:
    """A user as a search shows them."""
    return UserView(
        user_id=user.user_id,
        is_enrolled=bool(methods),
        email=user.email,
        email_verified=user.email_verified,
        phone_number=user.phone_number,
        phone_number_verified=user.phone_number_verified,
        username=user.username,
        display_name=user.display_name,
        enrolled_verification_methods=methods,
        created_at=timestamp(user.created_at),
    )


def action_view(action: Action) -> ActionView:
    """An action as get and update show it."""
    return ActionView(
        state=action.state,
        created_at=timestamp(action.created_at),
        state_updated_at=timestamp(action.state_updated_at),
        rules=[],
        rule_ids=[],
        output={},
        verification_method=action.verification_method,
    )


def action_list_item(action: Action) -> ActionListItem:
    """An action as a query shows it."""
    return ActionListItem(
        action_code=action.action_code,
        idempotency_key=action.idempotency_key,
        created_at=timestamp(action.created_at),
        updated_at=timestamp(action.updated_at),
        state=action.state,
        state_updated_at=timestamp(action.state_updated_at),
        verification_method=action.verification_method,
        verified_by_authenticator_id=action.verified_by_authenticator_id,
    )
