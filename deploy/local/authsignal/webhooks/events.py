"""Events as they are sent: the envelope, and the data of each type in camelCase, without members that have no value."""

import uuid
from typing import Any

from deploy.local.authsignal.model import Action, Authenticator, Challenge, VerificationMethod
from deploy.local.authsignal.views import optional_timestamp, timestamp

_SOURCE = "https://authsignal.com"


def envelope(event_type: str, *, tenant_id: str, now: float, **payload: dict[str, Any]) -> dict[str, Any]:
    """
    One event.

    Args:
        event_type: Such as `email.created`.
        tenant_id: Whose event it is.
        now: Unix seconds.
        payload: One member: `data`, or `record` for logs.
    """
    return {
        "version": 1,
        "id": str(uuid.uuid4()),
        "source": _SOURCE,
        "time": timestamp(now),
        "tenantId": tenant_id,
        "type": event_type,
        **payload,
    }


def message_created(challenge: Challenge, *, url: str | None = None) -> dict[str, Any]:
    """Data of `email.created` and `sms.created`: a code, or the address of a magic link."""
    return _present(
        to=challenge.address,
        code=None if url else challenge.code,
        url=url,
        **_whose(challenge),
        verificationMethod=challenge.verification_method,
        userAgent=challenge.user_agent,
        ipAddress=challenge.ip_address,
        locale=challenge.locale,
    )


def push_created(challenge: Challenge) -> dict[str, Any]:
    """Data of `push.created`."""
    return _present(
        challengeId=challenge.challenge_id,
        **_whose(challenge),
        userAgent=challenge.user_agent,
        ipAddress=challenge.ip_address,
    )


def _whose(challenge: Challenge) -> dict[str, str]:
    # A server challenge for somebody who has no account yet has no user; the member is required all the same.
    return {
        "userId": challenge.user_id or "",
        "idempotencyKey": challenge.idempotency_key,
        "actionCode": challenge.action_code,
    }


def authenticator_changed(item: Authenticator, *, moment: str, now: float) -> dict[str, Any]:
    """
    Data of `authenticator.created`, `.updated` and `.deleted`.

    Args:
        item: The authenticator; a deleted one as it was.
        moment: `createdAt`, `updatedAt` or `deletedAt`; the last of them goes beside `createdAt`.
        now: When it happened, in Unix seconds.
    """
    times = {"createdAt": timestamp(item.created_at)} if moment == "deletedAt" else {}
    credential = item.webauthn
    return _present(
        userId=item.user_id,
        verificationMethod=item.verification_method,
        **times,
        **{moment: timestamp(now)},
        userAuthenticatorId=item.user_authenticator_id,
        email=item.email,
        phoneNumber=item.phone_number,
        previousSmsChannel=item.previous_sms_channel,
        credentialId=credential and credential.credential_id,
        aaguid=credential and credential.aaguid,
        credentialName=credential and credential.name,
    )


def action_verify(action: Action, method: VerificationMethod, authenticator_id: str | None, *, now: float) -> dict[str, Any]:
    """Data of `action.verify`: the transition that the receiver may veto."""
    return _present(
        userId=action.user_id,
        action=action.action_code,
        idempotencyKey=action.idempotency_key,
        verifiedAt=timestamp(now),
        state="CHALLENGE_SUCCEEDED",
        verificationMethod=method,
        userAuthenticatorId=authenticator_id,
    )


def action_log(action: Action, *, tenant_id: str) -> dict[str, Any]:
    """Record of `action.log_created`."""
    return _present(
        tenantId=tenant_id,
        userId=action.user_id,
        actionCode=action.action_code,
        idempotencyKey=action.idempotency_key,
        createdAt=timestamp(action.created_at),
        updatedAt=timestamp(action.updated_at),
        state=action.state,
        stateUpdatedAt=timestamp(action.state_updated_at),
        outcome=action.outcome,
        verificationMethod=action.verification_method,
        allowedVerificationMethods=action.allowed_methods,
        rules=[{"ruleId": rule.rule_id, "name": rule.name} for rule in action.rules] or None,
        priorityRuleId=action.rules[0].rule_id if action.rules else None,
        ipAddress=action.ip_address,
        deviceId=action.device_id,
        custom=action.custom,
    )


def challenge_log(challenge: Challenge, log_type: str, *, tenant_id: str, now: float) -> dict[str, Any]:
    """Record of `challenge.log_created`; its type is such as `EMAIL_OTP_SENT`."""
    is_email = "@" in challenge.address
    return _present(
        tenantId=tenant_id,
        userId=challenge.user_id or "",
        actionCode=challenge.action_code,
        idempotencyKey=challenge.idempotency_key,
        createdAt=optional_timestamp(now),
        type=log_type,
        verificationMethod=challenge.verification_method,
        email=challenge.address if is_email else None,
        phoneNumber=None if is_email else challenge.address or None,
    )


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
