"""Records as the APIs show them. Pure."""

from datetime import UTC, datetime
from typing import Any

from deploy.local.authsignal.model import Action, Authenticator, RuleRef, User, VerificationMethod, WebauthnCredential
from deploy.local.authsignal.wire import (
    ActionListItem,
    ActionView,
    AuthenticatorView,
    CredentialView,
    NameView,
    UserView,
)


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
        username=item.username,
        display_name=item.display_name,
        previous_sms_channel=item.previous_sms_channel,
        device_platform=item.phone.device_platform.upper() if item.phone else None,
        webauthn_credential=_credential_view(item.webauthn) if item.webauthn else None,
    )


def _credential_view(credential: WebauthnCredential) -> CredentialView:
    return CredentialView(
        credential_id=credential.credential_id,
        credential_backed_up=credential.backed_up,
        credential_device_type=credential.device_type,
        device_id=credential.device_id,
        name=credential.name,
        aaguid=credential.aaguid,
        aaguid_mapping=NameView(name=credential.name) if credential.name else None,
        authenticator_attachment=credential.attachment,
        parsed_user_agent=parse_user_agent(credential.user_agent) if credential.user_agent else None,
    )


def parse_user_agent(user_agent: str) -> dict[str, Any]:
    """Browser and system of a User-Agent header, as far as its words tell: enough to name a passkey's device."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in user_agent), None)
    mark = next((mark for mark, name in _BROWSERS if name == browser), "")
    version = user_agent.partition(f"{mark}/")[2].split(" ")[0] if browser else ""
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return {
        "ua": user_agent,
        "browser": {"name": browser, "version": version, "major": version.split(".")[0]} if browser else {},
        "os": {"name": system} if system else {},
        "device": {},
        "engine": {},
        "cpu": {},
    }


# In the order in which they must be looked for: most browsers name their ancestors as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("HeadlessChrome", "Chrome Headless"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
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
        rules=[rule_ref(rule) for rule in action.rules],
        rule_ids=[rule.rule_id for rule in action.rules[:1]],  # the winning one alone, unlike in the answer to track
        output={},
        verification_method=action.verification_method,
    )


def rule_ref(rule: RuleRef) -> dict[str, str]:
    """A rule that matched, as an action shows it."""
    shown = {"ruleId": rule.rule_id, "name": rule.name}
    return shown | ({"description": rule.description} if rule.description else {})


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
