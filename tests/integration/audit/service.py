"""The whole audit service in this process, on a port of its own, and callers with every kind of credential."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import uvicorn
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from multidict import CIMultiDictProxy

from deploy.local import toml
from deploy.local.parts import aws
from services.audit.api.access import AUDITORS
from services.audit.app import create_app
from services.audit.settings import AuditSettings
from shared.settings import load
from tests.contract.ports import free_port
from tests.integration.audit.lab import ENTRY_KEY, HOST, LOG_ORIGIN, Database, QueuePair

SERVICE_TOKEN = "a-token-of-the-nightly-export"
READING_TOKEN = "a-token-that-only-reads"
EMAIL_HASH_KEY = "5e" * 32
LOG_SEED = "07" * 32
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_audit"
CLIENT_ID = "the-gateway-client"


@dataclass
class TokenIssuer:
    """Signs access tokens as a user pool does, and serves its keys."""

    url: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def token(self, *, key: rsa.RSAPrivateKey | None = None, groups: tuple[str, ...] = (AUDITORS,), **claims: Any) -> str:
        """Return an auditor's access token; `claims` replace what an ordinary one says."""
        now = int(time.time())
        ordinary = {
            "sub": "3f2b0c9a-0000-4000-8000-000000000001",
            "username": "3f2b0c9a-0000-4000-8000-000000000001",
            "iss": ISSUER,
            "client_id": CLIENT_ID,
            "token_use": "access",
            "cognito:groups": groups,
            "iat": now,
            "exp": now + 600,
        }
        return jwt.encode({**ordinary, **claims}, key or self.key, algorithm="RS256", headers={"kid": "one"})

    def key_set(self) -> dict[str, Any]:
        """Return the public keys."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}


@contextlib.asynccontextmanager
async def token_issuer() -> AsyncIterator[TokenIssuer]:
    """Serve the keys of a user pool of this test's own, so that it can sign what a real pool never would."""
    issuer = TokenIssuer()

    async def keys(_: web.Request) -> web.Response:
        return web.json_response(issuer.key_set())

    app = web.Application()
    app.router.add_get("/jwks.json", keys)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, HOST, port).start()
    issuer.url = f"http://{HOST}:{port}/jwks.json"
    try:
        yield issuer
    finally:
        await runner.cleanup()


def write_settings(folder: Path, queue: QueuePair, database: Database, *, more: str = "", **overrides: Any) -> Path:
    """Write the settings and secret files of one process, with `more` tables, and return the settings' path."""
    folder.mkdir(exist_ok=True)
    managing, reading = (hashlib.sha256(token.encode()).hexdigest() for token in (SERVICE_TOKEN, READING_TOKEN))
    files = {
        "database_url": database.reader_url,
        "consumer_database_url": database.writer_url,
        "owner_database_url": database.owner_url,
        "sequencer_database_url": database.sequencer_url,
        "clerk_database_url": database.clerk_url,
        "log_key": LOG_SEED,
        "entry_key": ENTRY_KEY,
        "email_hash_key": EMAIL_HASH_KEY,
        "service_token_hashes": f"# machines\nnightly-export:{managing}:manage\ndashboard:{reading}",
    }
    for name, text in files.items():
        (folder / name).write_text(text + "\n")
    settings: dict[str, Any] = {
        "host": HOST,
        "port": free_port(),
        **{f"{name}_file": str(folder / name) for name in files},
        "log_origin": LOG_ORIGIN,
        "seal_interval_ms": 20,
        "audit_queue_url": queue.url,
        "audit_dlq_url": queue.dlq_url,
        "aws_region": aws.REGION,
        "aws_endpoint_url": queue.aws.endpoint_url,
        "cognito_issuer": ISSUER,
        "jwks_url": "http://127.0.0.1:9/none",
        "client_ids": [CLIENT_ID],
        "receivers": 2,
        "visibility_seconds": 5,
        "receive_wait_seconds": 1,
        **overrides,
    }
    path = folder / "audit.toml"
    path.write_text(toml.dumps(settings) + more)
    return path


@dataclass
class Service:
    """A running audit service."""

    url: str
    http: aiohttp.ClientSession
    settings: AuditSettings

    async def get(self, path: str, *, token: str | None = SERVICE_TOKEN, **options: Any) -> "Answer":
        """Ask for something and read the whole answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers.update(options.pop("headers", {}))
        async with self.http.get(self.url + path, headers=headers, **options) as answer:
            body = await answer.read()
            return Answer(answer.status, answer.headers, body)

    async def send(self, method: str, path: str, body: Any = None, *, token: str | None = SERVICE_TOKEN) -> "Answer":
        """Ask for a change and read the whole answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.request(method, self.url + path, headers=headers, json=body) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def events(self, *params: tuple[str, str]) -> list[dict[str, Any]]:
        """Return the events that a search finds."""
        answer = await self.get("/v1/events", params=list(params))
        assert answer.status == 200, answer.body
        return [item["event"] for item in answer.json()["events"]]


@dataclass
class Answer:
    """A whole answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


@contextlib.asynccontextmanager
async def running_service(folder: Path, queue: QueuePair, database: Database, **overrides: Any) -> AsyncIterator[Service]:
    """Run the service until the block ends."""
    settings = load(AuditSettings, write_settings(folder, queue, database, **overrides))
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), host=HOST, port=settings.port, lifespan="on", log_config=None, access_log=False)
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            raise AssertionError("the service did not start") from task.exception()
        await asyncio.sleep(0.01)
    try:
        async with aiohttp.ClientSession() as http:
            yield Service(f"http://{HOST}:{settings.port}", http, settings)
    finally:
        server.should_exit = True
        await task
