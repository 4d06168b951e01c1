"""A WebAuthn authenticator in software: what a browser and a key would answer to the options of a ceremony."""

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

# Authenticator data, WebAuthn level 2 section 6.1: user present, user verified, attested credential data follows.
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
AAGUID = bytes(16)


class SoftKey:
    """
    One credential.

    Args:
        origin: The page that the browser would say it is on.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(32)
        self._count = 0

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer creation options with a new credential, unattested."""
        client_data = self._client_data("webauthn.create", options["challenge"])
        attested = AAGUID + len(self._id).to_bytes(2, "big") + self._id + self._public_key()
        data = self._authenticator_data(options["rp"]["id"], ATTESTED) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            {"clientDataJSON": base64url(client_data), "attestationObject": base64url(statement), "transports": ["internal"]}
        )

    def sign(self, options: dict[str, Any], *, user_handle: str | None = None) -> dict[str, Any]:
        """Answer request options with a signature."""
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._authenticator_data(options["rpId"], 0)
        signature = self._key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": base64url(client_data),
                "authenticatorData": base64url(data),
                "signature": base64url(signature),
                "userHandle": user_handle,
            }
        )

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = base64url(self._id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self._origin, "crossOrigin": False}).encode()

    def _authenticator_data(self, rp_id: str, more_flags: int) -> bytes:
        self._count += 1
        flags = USER_PRESENT | USER_VERIFIED | more_flags
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self._count.to_bytes(4, "big")

    def _public_key(self) -> bytes:
        """Return the public key as COSE_Key, ES256. Source: RFC 9053 section 2.1."""
        point = self._key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})


def base64url(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
