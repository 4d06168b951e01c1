"""
What passkeys and security keys share: ceremonies that are begun, finished once, and stored.

1. A registration belongs to the token that began it, and needs the right to add a factor, at its start and at its end.
2. An answer must be for a ceremony that is still open, of the same method, and, where one was given, of the same token.
3. What a browser begins without a token ends in whoever holds the credential.
"""

from typing import Any

from deploy.local.authsignal import enrolment, webauthn_party
from deploy.local.authsignal.actions import get_action
from deploy.local.authsignal.errors import InvalidCredential, InvalidRequest
from deploy.local.authsignal.model import (
    Authenticator,
    Challenge,
    ChallengeOrigin,
    VerificationMethod,
    WebauthnCredential,
)
from deploy.local.authsignal.otp import is_open, new_challenge, use_up
from deploy.local.authsignal.proofs import record_proof, require_consent
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.tokens import TokenClaims
from deploy.local.authsignal.views import parse_user_agent

# The names that people know, by AAGUID; anything else is called by browser and system.
_MAKERS = {
    "fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "iCloud Keychain",
    "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
    "08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
    "bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
    "d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden",
}


def begin(tenant: Tenant, method: VerificationMethod, claims: TokenClaims, *, enrols: bool) -> Challenge:
    """
    A ceremony for the holder of a token, stored.

    Raises:
        MissingScope: It would add a factor, and the token may not.
    """
    if enrols:
        enrolment.require_may_enrol(tenant, claims.user_id, claims.scopes)
    pending = new_challenge(
        tenant,
        origin=ChallengeOrigin.CLIENT,
        method=method,
        action_code=claims.action_code,
        idempotency_key=claims.idempotency_key,
        user_id=claims.user_id,
    )
    pending.enrols, pending.scopes = enrols, claims.scopes
    return arm(tenant, pending)


def arm(tenant: Tenant, pending: Challenge) -> Challenge:
    """Give a ceremony something to sign and a life, and store it."""
    pending.webauthn_challenge = webauthn_party.new_challenge()
    pending.expires_at = tenant.clock.now() + tenant.tunables.token_duration_seconds
    tenant.store.save_challenge(pending)
    return pending


def require_open(
    tenant: Tenant, challenge_id: str, method: VerificationMethod, claims: TokenClaims | None, *, enrols: bool
) -> Challenge:
    """
    The ceremony that an answer is for.

    Raises:
        InvalidRequest: There is none of this id, it is over, of another kind, or of another token.
    """
    pending = tenant.store.challenge(challenge_id)
    if pending is None or pending.verification_method is not method or pending.webauthn_challenge is None:
        raise InvalidRequest("No such challenge.")
    if pending.enrols is not enrols or not is_open(tenant, pending):
        raise InvalidRequest("The challenge is over; start again.")
    whose = (pending.user_id, pending.action_code, pending.idempotency_key)
    given = (claims.user_id, claims.action_code, claims.idempotency_key) if claims else None
    if (given is None) is not (pending.user_id is None) or (given is not None and given != whose):
        raise InvalidRequest("The challenge belongs to another token.")
    return pending


def credentials_of(tenant: Tenant, user_id: str, method: VerificationMethod) -> list[WebauthnCredential]:
    """The user's credentials of a method."""
    items = tenant.verified_authenticators(user_id)
    return [item.webauthn for item in items if item.verification_method is method and item.webauthn]


async def register(
    tenant: Tenant,
    pending: Challenge,
    claims: TokenClaims,
    credential: dict[str, Any],
    *,
    user_agent: str | None,
    is_conditional: bool = False,
) -> tuple[Authenticator, str]:
    """
    Finish a registration.

    Returns:
        The authenticator and the token that the proof earned.

    Raises:
        InvalidCredential: It cannot be verified, or is somebody's already.
        InvalidRequest: Somebody finished the same registration first.
        MissingScope: The user got a factor meanwhile, and the token may not add another one.
        Vetoed: The integrator refused; nothing was stored.
    """
    challenge, method = pending.webauthn_challenge or "", pending.verification_method
    found = webauthn_party.verify_registration(tenant.settings, credential, challenge=challenge, is_conditional=is_conditional)
    found.user_handle = webauthn_party.user_handle(claims.user_id)
    found.user_agent, found.name = user_agent, _name(found, user_agent)
    authenticator = enrolment.new_authenticator(tenant, claims.user_id, method)
    authenticator.webauthn = found
    user = tenant.user_or_new(claims.user_id)
    authenticator.username, authenticator.display_name = user.username or user.email, user.display_name
    name = (claims.user_id, claims.action_code, claims.idempotency_key)
    await require_consent(tenant, get_action(tenant, *name), method, authenticator.user_authenticator_id)
    with tenant.store.transaction():
        enrolment.require_may_enrol(tenant, claims.user_id, claims.scopes)
        if tenant.store.authenticator_by_lookup(found.credential_id) is not None:
            raise InvalidCredential("The credential is registered already.")
        if not use_up(tenant, pending):
            raise InvalidRequest("The challenge is over; start again.")
        enrolment.record_verified(tenant, authenticator)
        token = record_proof(tenant, get_action(tenant, *name), method, authenticator.user_authenticator_id)
    return authenticator, token


def find_credential(tenant: Tenant, pending: Challenge, answer: dict[str, Any], *, user_id: str | None) -> Authenticator:
    """
    The authenticator whose key signed an answer, with its counter moved on; not stored yet.

    Raises:
        InvalidCredential: Unknown, removed, not this user's, or wrongly signed.
    """
    credential_id = answer.get("id")
    found = tenant.store.authenticator_by_lookup(credential_id) if isinstance(credential_id, str) else None
    if found is None or found.webauthn is None or found.verification_method is not pending.verification_method:
        raise InvalidCredential("The credential is not known; it may have been removed.")
    if user_id is not None and found.user_id != user_id:
        raise InvalidCredential("The credential belongs to another user.")
    webauthn_party.verify_authentication(
        tenant.settings, answer, challenge=pending.webauthn_challenge or "", credential=found.webauthn
    )
    return found


def _name(credential: WebauthnCredential, user_agent: str | None) -> str:
    known = _MAKERS.get(credential.aaguid or "")
    if known is not None or not user_agent:
        return known or "Passkey"
    parsed = parse_user_agent(user_agent)
    browser, system = parsed["browser"].get("name"), parsed["os"].get("name")
    return " on ".join(part for part in (browser, system) if part) or "Passkey"
