"""
The relying party: options for browsers, and real verification of what comes back.

Options are built here, since their exact members matter to SDKs (phones insist on an `excludeCredentials`, even an empty
one); signatures, origins, relying party and counters are checked by the `webauthn` package.
"""

import hashlib
import secrets
import struct
from collections.abc import Sequence
from typing import Any

from webauthn import base64url_to_bytes, verify_authentication_response, verify_registration_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.registration.verify_registration_response import VerifiedRegistration

from deploy.local.authsignal.errors import InvalidCredential
from deploy.local.authsignal.model import WebauthnCredential
from deploy.local.authsignal.settings import SimulatorSettings

_TIMEOUT_MS = 60_000
_HANDLE_BYTES_MAX = 64  # WebAuthn level 2 section 5.4.3
# Whatever a page sends as a credential must end in an answer: the parsers below raise any of these on rubbish.
_REFUSALS = (WebAuthnException, ValueError, LookupError, TypeError, AttributeError, struct.error)
_ALGORITHMS = (-7, -257)  # ES256, RS256: what authenticators in use speak


def new_challenge() -> str:
    """A fresh challenge, base64url."""
    return bytes_to_base64url(secrets.token_bytes(32))


def user_handle(user_id: str) -> str:
    """
    The handle under which an authenticator keeps a user, base64url.

    The user id itself where it fits, so that a person who looks into their authenticator recognises it; else its hash.
    """
    name = user_id.encode()
    return bytes_to_base64url(name if len(name) <= _HANDLE_BYTES_MAX else hashlib.sha256(name).digest())


def creation_options(
    settings: SimulatorSettings,
    *,
    challenge: str,
    user_id: str,
    name: str,
    display_name: str,
    exclude: Sequence[WebauthnCredential],
    selection: dict[str, Any],
) -> dict[str, Any]:
    """
    What `navigator.credentials.create` is called with.

    Args:
        settings: Name the relying party.
        challenge: From `new_challenge`.
        user_id: Whose credential it becomes.
        name: Primary label.
        display_name: Secondary label.
        exclude: Credentials that the user has already.
        selection: The `authenticatorSelection`.
    """
    return {
        "challenge": challenge,
        "rp": {"id": settings.rp_id, "name": "Authsignal simulator"},
        "user": {"id": user_handle(user_id), "name": name, "displayName": display_name},
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in _ALGORITHMS],
        "timeout": _TIMEOUT_MS,
        "attestation": "none",
        "excludeCredentials": [_descriptor(credential) for credential in exclude],
        "authenticatorSelection": selection,
        "extensions": {"credProps": True},
    }


def request_options(settings: SimulatorSettings, *, challenge: str, allow: Sequence[WebauthnCredential]) -> dict[str, Any]:
    """
    What `navigator.credentials.get` is called with.

    Args:
        settings: Name the relying party.
        challenge: From `new_challenge`.
        allow: Credentials that may answer; none means any that the browser finds.
    """
    return {
        "challenge": challenge,
        "rpId": settings.rp_id,
        "allowCredentials": [_descriptor(credential) for credential in allow],
        "timeout": _TIMEOUT_MS,
        "userVerification": "preferred",
    }


def _descriptor(credential: WebauthnCredential) -> dict[str, Any]:
    return {"id": credential.credential_id, "type": "public-key", "transports": list(credential.transports)}


def verify_registration(
    settings: SimulatorSettings, credential: dict[str, Any], *, challenge: str, is_conditional: bool = False
) -> WebauthnCredential:
    """
    Check a new credential.

    Args:
        settings: Name the relying party and the origins.
        credential: As the browser gave it.
        challenge: What it was made for.
        is_conditional: Made without asking the user, who need not have been present then.

    Raises:
        InvalidCredential: Malformed, for another challenge, origin or relying party, or wrongly signed.
    """
    try:
        verified: VerifiedRegistration = verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=settings.rp_id,
            expected_origin=settings.webauthn_origins,
            require_user_presence=not is_conditional,
        )
    except _REFUSALS as error:
        raise InvalidCredential(f"The credential was not accepted: {error}") from error
    transports = credential.get("response", {}).get("transports") or ()
    return WebauthnCredential(
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        user_handle="",
        aaguid=verified.aaguid,
        backed_up=verified.credential_backed_up,
        device_type="multiDevice" if verified.credential_device_type == "multi_device" else "singleDevice",
        attachment=credential.get("authenticatorAttachment"),
        transports=tuple(str(transport) for transport in transports),
    )


def verify_authentication(
    settings: SimulatorSettings, answer: dict[str, Any], *, challenge: str, credential: WebauthnCredential
) -> None:
    """
    Check a signature, and move the credential's counter and backup flag on.

    Raises:
        InvalidCredential: Malformed, for another challenge, origin or relying party, wrongly signed, for another user, or
            with a counter that went back (a copied key).
    """
    try:
        verified: VerifiedAuthentication = verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=settings.rp_id,
            expected_origin=settings.webauthn_origins,
            credential_public_key=base64url_to_bytes(credential.public_key),
            credential_current_sign_count=credential.sign_count,
        )
    except _REFUSALS as error:
        raise InvalidCredential(f"The credential was not accepted: {error}") from error
    if answer["response"].get("userHandle") not in (None, "", credential.user_handle):
        raise InvalidCredential("The credential belongs to another user.")
    credential.sign_count, credential.backed_up = verified.new_sign_count, verified.credential_backed_up
