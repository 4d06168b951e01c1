"""
Signed JSON calls to one AWS service through aiohttp, for the two that are on the hot path.

Credentials and endpoint are those that the AWS SDK finds (environment, profile, task role; refreshed before they end): an SDK
client is opened and asked, but not called.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from aiobotocore.session import get_session

from shared.aws_signing import Signer
from shared.http.pool import open_http
from shared.settings import AwsSettings, SettingsError

_ENCODE = msgspec.json.Encoder().encode


class AwsRefused(Exception):
    """The service answered with an error; `code` says which, without a namespace."""

    def __init__(self, operation: str, code: str, status: int) -> None:
        super().__init__(f"{operation}: {code}")
        self.operation = operation
        self.code = code
        self.status = status


class AwsUnreachable(Exception):
    """No answer in time, or no credentials to ask with. A call with an effect may have had it."""


class _Fault(msgspec.Struct):
    type: str = msgspec.field(default="", name="__type")


class AwsJson:
    """
    Calls one service.

    Args:
        http: The process's connection pool.
        url: The endpoint.
        signer: Signs for that endpoint.
        credentials: The SDK's, which refresh themselves.
        prefix: What comes before the operation in ``X-Amz-Target``.
        version: Of the JSON protocol, 1.0 or 1.1.
        seconds_max: Deadline of one call.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        url: str,
        signer: Signer,
        credentials: Any,
        prefix: str,
        version: str,
        seconds_max: float,
    ) -> None:
        self._http = http
        self._url = url.rstrip("/") + "/"
        self._signer = signer
        self._credentials = credentials
        self._prefix = prefix
        self._content_type = f"application/x-amz-json-{version}"
        self._timeout = aiohttp.ClientTimeout(total=seconds_max)

    async def call(self, operation: str, body: dict[str, Any]) -> bytes:
        """
        Make one call and return the answer's bytes.

        Raises:
            AwsRefused: The service said no, or answered with a fault of its own.
            AwsUnreachable: There was no answer.
        """
        content = _ENCODE(body)
        try:
            headers = self._signer.headers(
                await self._credentials.get_frozen_credentials(),
                target=f"{self._prefix}.{operation}",
                content_type=self._content_type,
                body=content,
            )
            async with self._http.post(
                self._url, data=content, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                read = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, OSError) as error:
            raise AwsUnreachable(f"{operation}: {type(error).__name__}") from error
        if status != 200:
            raise AwsRefused(operation, _code_of(read), status)
        return read


@asynccontextmanager
async def open_aws_json(
    settings: AwsSettings, service: str, *, endpoint_url: str | None, prefix: str, version: str, seconds_max: float
) -> AsyncIterator[AwsJson]:
    """Open a caller of one service, with a pool of its own: SDK errors at start (no region, no such service) come through."""
    async with AsyncExitStack() as stack:
        session = get_session()
        client = await stack.enter_async_context(
            session.create_client(service, region_name=settings.aws_region, endpoint_url=endpoint_url)
        )
        credentials = await session.get_credentials()
        if credentials is None:
            raise SettingsError(f"no AWS credentials for {service}: set them in the environment, a profile or a task role")
        http = await stack.enter_async_context(open_http(connections_max=64))
        url = client.meta.endpoint_url
        signer = Signer(service=client.meta.service_model.signing_name, region=settings.aws_region, url=url)
        yield AwsJson(
            http,
            url=url,
            signer=signer,
            credentials=credentials,
            prefix=prefix,
            version=version,
            seconds_max=seconds_max,
        )


def _code_of(content: bytes) -> str:
    try:
        return msgspec.json.decode(content, type=_Fault).type.rpartition("#")[2] or "Unknown"
    except msgspec.DecodeError:
        return "Unreadable"
