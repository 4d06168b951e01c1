"""What counts as an address. Pure."""

import re

from deploy.local.authsignal.errors import InvalidRequest

_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]+@[^\s@<>\"(),:;\[\]\\.]+(\.[^\s@<>\"(),:;\[\]\\.]+)*")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_EMAIL_LENGTH_MAX = 254  # RFC 5321 section 4.5.3.1.3: a path has 256 characters, two of them brackets


def check_email(value: str | None) -> str:
    """
    Give back a plausible address, as it was written.

    Raises:
        InvalidRequest: Missing, too long, or not of the form name@domain.
    """
    if not value:
        raise InvalidRequest("email is required.")
    if len(value) > _EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(value):
        raise InvalidRequest("email is not an e-mail address.")
    return value


def check_phone(value: str | None) -> str:
    """
    Give back a number in E.164 form.

    Raises:
        InvalidRequest: Missing, or not a plus sign and 7 to 15 digits.
    """
    if not value:
        raise InvalidRequest("phoneNumber is required.")
    if not _PHONE.fullmatch(value):
        raise InvalidRequest("phoneNumber is not in E.164 form.")
    return value
