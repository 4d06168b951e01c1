"""Signed calls: what comes back, what is refused, what stays unanswered."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from shared.aws_json import AwsJson, AwsRefused, AwsUnreachable, open_aws_json
from shared.settings import AwsSettings

Handler = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")


@asynccontextmanager
async def calling(handler: Handler) -> AsyncIterator[AwsJson]:
    """A caller of SQS whose endpoint is `handler`."""
    app = web.Application()
    app.router.add_post("/", handler)
    runner = web.AppRunner(app)
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        settings = AwsSettings(aws_region="eu-west-1", aws_endpoint_url=url)
        yield await stack.enter_async_context(
            open_aws_json(settings, "sqs", endpoint_url=url, prefix="AmazonSQS", version="1.0", seconds_max=0.5)
        )


async def test_a_call_is_signed_with_the_chains_credentials() -> None:
    """
    Key, region, service and session token of the standard chain are in the call, and the answer's bytes come back.
    """
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        assert await request.json() == {"QueueUrl": "q", "MessageBody": "m"}
        return web.Response(body=b'{"MessageId":"1"}')

    async with calling(answer) as sqs:
        assert await sqs.call("SendMessage", {"QueueUrl": "q", "MessageBody": "m"}) == b'{"MessageId":"1"}'

    headers = seen[0].headers
    assert "Credential=AKIDEXAMPLE/" in headers["Authorization"]
    assert "/eu-west-1/sqs/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "session-token"
    assert headers["X-Amz-Target"] == "AmazonSQS.SendMessage"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}', "QueueDoesNotExist"),
        (403, b'{"__type":"AccessDenied"}', "AccessDenied"),
        (503, b"<html>", "Unreadable"),
    ],
)
async def test_a_refusal_carries_its_code(status: int, body: bytes, code: str) -> None:
    """
    Whatever is not 200 is refused, with the service's code without its namespace, and the status.
    """

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    async with calling(answer) as sqs:
        with pytest.raises(AwsRefused) as refused:
            await sqs.call("SendMessage", {})

    assert (refused.value.code, refused.value.status) == (code, status)


async def test_silence_is_unreachable() -> None:
    """
    A service that answers too late, or hangs up, is unreachable.
    """

    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with calling(hang_up) as sqs:
        with pytest.raises(AwsUnreachable):
            await sqs.call("SendMessage", {})
