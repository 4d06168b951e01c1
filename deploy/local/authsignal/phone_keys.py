"""
Phone keys and their signatures. Pure.

A phone holds a P-256 key. Its public half travels as base64 of the DER SubjectPublicKeyInfo, and as base64url of that
text in query strings; signatures as base64 of the DER form of ECDSA with SHA-256.
"""

import base64
import binascii

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local.authsignal.errors import InvalidRequest

REMOVAL_WINDOW_SECONDS = 600


def check_public_key(public_key: str) -> str:
    """
    Give back a public key as it was written.

    Raises:
        InvalidRequest: Not base64 of a P-256 SubjectPublicKeyInfo.
    """
    _load(public_key)
    return public_key


def public_key_of_query(value: str) -> str:
    """
    The public key of a query parameter.

    Raises:
        InvalidRequest: Not base64url.
    """
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise InvalidRequest("publicKey is not base64url.") from error


def is_signed(public_key: str, message: str, signature: str) -> bool:
    """Whether the holder of the key signed the message."""
    try:
        _load(public_key).verify(_decode(signature), message.encode(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, InvalidRequest):
        return False
    return True


def removal_messages(now: float) -> list[str]:
    """What a phone may sign to remove itself: ten-minute windows, printed as phones print a floating-point number."""
    window = int(now // REMOVAL_WINDOW_SECONDS)
    return [f"{float(number)}" for number in (window, window - 1)]


def new_key_pair() -> tuple[str, str]:
    """A fresh pair: private key as PKCS 8 in PEM, public key as it travels."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    pem = private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    der = private_key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode(), base64.b64encode(der).decode()


def sign(private_key: str, message: str) -> str:
    """Sign as a phone does."""
    key = serialization.load_pem_private_key(private_key.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return base64.b64encode(key.sign(message.encode(), ec.ECDSA(hashes.SHA256()))).decode()


def _decode(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("The value is not base64.") from error


def _load(public_key: str) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_der_public_key(_decode(public_key))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidRequest("publicKey is not a public key.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidRequest("publicKey is not a P-256 key.")
    return key
