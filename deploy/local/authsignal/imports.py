"""Taking over passkeys that were registered with another server, for the same relying party."""

from webauthn import base64url_to_bytes
from webauthn.helpers import bytes_to_base64url, decode_credential_public_key
from webauthn.helpers.exceptions import WebAuthnException

from deploy.local.authsignal import enrolment, webauthn_party
from deploy.local.authsignal.errors import ApiError, InvalidRequest
from deploy.local.authsignal.model import VerificationMethod, WebauthnCredential
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.wire_sessions import ImportFailure, ImportItem, ImportRequest, ImportView


def import_passkeys(tenant: Tenant, request: ImportRequest) -> ImportView:
    """Import each passkey by itself: one that fails does not hold up the others."""
    failures = []
    for item in request.authenticators:
        try:
            with tenant.store.transaction():
                _import(tenant, item)
        except ApiError as error:
            failures.append(
                ImportFailure(
                    user_id=item.user_id,
                    credential_id=item.credential_id,
                    error_code=error.code,
                    error_description=error.description,
                )
            )
    total = len(request.authenticators)
    return ImportView(total=total, succeeded=total - len(failures), failed=len(failures), failures=failures)


def _import(tenant: Tenant, item: ImportItem) -> None:
    if item.verification_method != VerificationMethod.PASSKEY:
        raise InvalidRequest("verificationMethod must be PASSKEY.")
    try:
        credential_id, public_key = base64url_to_bytes(item.credential_id), base64url_to_bytes(item.credential_public_key)
        decode_credential_public_key(public_key)
    except (WebAuthnException, ValueError, LookupError, TypeError) as error:
        raise InvalidRequest(f"The credential is malformed: {error}") from error
    credential = WebauthnCredential(
        credential_id=bytes_to_base64url(credential_id),
        public_key=bytes_to_base64url(public_key),
        sign_count=0,
        user_handle=webauthn_party.user_handle(item.user_id),
        aaguid=item.aaguid,
        name=item.name,
        transports=tuple(item.transports),
    )
    if tenant.store.authenticator_by_lookup(credential.credential_id) is not None:
        raise InvalidRequest("The credential is registered already.")
    tenant.store.save_user(tenant.user_or_new(item.user_id))
    authenticator = enrolment.new_authenticator(tenant, item.user_id, VerificationMethod.PASSKEY)
    authenticator.webauthn = credential
    enrolment.record_verified(tenant, authenticator)
