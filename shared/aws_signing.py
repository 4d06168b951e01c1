"""
AWS Signature Version 4 for one kind of request: POST to the root of one service, the body whole, no query.

The AWS SDK signs anything for any service; our two hot calls (SendMessage, AdminGetUser) have one shape, and with the day's
key kept cost a tenth. Source: AWS General Reference, "Create a signed AWS API request".
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Signer:
    """
    Signs calls of one service.

    Args:
        service: The name that the signature is scoped to, such as ``sqs``.
        region: Its region.
        url: The endpoint; its host is part of what is signed.
        clock: Unix seconds.
    """

    def __init__(self, *, service: str, region: str, url: str, clock: Callable[[], float] = time.time) -> None:
        self._service = service
        self._region = region
        self._host = urlsplit(url).netloc
        self._clock = clock
        self._day_key: tuple[str, str, bytes] = ("", "", b"")

    def headers(self, credentials: Any, *, target: str, content_type: str, body: bytes) -> dict[str, str]:
        """
        Return the headers of a signed call.

        Args:
            credentials: `access_key`, `secret_key` and `token`, as botocore freezes them.
            target: The value of ``X-Amz-Target``.
            content_type: The value of ``Content-Type``.
            body: The very bytes that will be sent.
        """
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        scope = f"{moment[:8]}/{self._region}/{self._service}/aws4_request"
        signed = {"content-type": content_type, "host": self._host, "x-amz-date": moment}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed["x-amz-target"] = target
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        to_sign = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(credentials.secret_key, moment[:8]), to_sign.encode(), "sha256").hex()
        del signed["host"]  # The HTTP client sends it by itself.
        signed["authorization"] = (
            f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return signed

    def _key_of(self, secret_key: str, day: str) -> bytes:
        kept_secret, kept_day, key = self._day_key
        if kept_day != day or kept_secret != secret_key:
            key = f"AWS4{secret_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day_key = (secret_key, day, key)
        return key
