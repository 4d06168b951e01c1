"""Base64 as signed notes and proofs use it: standard alphabet, padded, and one spelling for each value."""

import base64
import binascii


def encode64(data: bytes) -> str:
    """Return the one spelling of some bytes."""
    return base64.b64encode(data).decode()


def decode64(text: str) -> bytes:
    """
    Return the bytes of a text.

    Raises:
        ValueError: It is no base64, or not as `encode64` would write it: what is signed must not have two spellings.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("this is no base64") from error
    if encode64(data) != text:
        raise ValueError("this is no base64 in its one spelling")
    return data
