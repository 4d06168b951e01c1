"""Start the simulator: `python -m deploy.local.authsignal --help`."""

import argparse
import signal
import socket
import sys
import uuid
from pathlib import Path

import msgspec
import uvicorn

from deploy.local.authsignal.app import create_app
from deploy.local.authsignal.protocol import AbortableProtocol
from deploy.local.authsignal.settings import SimulatorSettings, Tunables, WebhookUrls, read_secret_keys
from deploy.local.authsignal.store import StoreUnusable

_WEBHOOK_HELP = "where events go: email, sms, push, authenticators, logs, or action_verify:ACTION"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.authsignal", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8100, help="port to listen on; 0 takes a free one")
    parser.add_argument("--tenant-id", type=uuid.UUID, required=True, help="public id of the tenant, a UUID")
    parser.add_argument("--secret-key-file", type=Path, required=True, help="one or two secret keys, one a line")
    parser.add_argument("--smtp", default="127.0.0.1:1025", metavar="HOST:PORT", help="mail server for the codes")
    parser.add_argument("--state-file", type=Path, required=True, help="SQLite file that keeps the accounts")
    parser.add_argument("--ui-url", help="this server as a browser sees it; default http://localhost:PORT")
    parser.add_argument("--allow-origin", action="append", default=[], help="origin that may call the Client API")
    parser.add_argument("--rp-id", default="localhost", help="relying party of passkeys: the pages' host, or a parent of it")
    parser.add_argument("--webhook", action="append", default=[], metavar="NAME=URL", help=_WEBHOOK_HELP)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a tunable, such as email_sends_max=3")
    return parser


def _tunables(assignments: list[str]) -> Tunables:
    values: dict[str, object] = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator:
            raise ValueError(f"--set needs NAME=VALUE, not {assignment}")
        values[name] = value.split(",") if name in ("methods", "valid_states") else value
    return msgspec.convert(values, Tunables, strict=False)


def _webhooks(assignments: list[str]) -> WebhookUrls:
    values: dict[str, object] = {}
    vetoes: dict[str, str] = {}
    for assignment in assignments:
        name, separator, url = assignment.partition("=")
        if not separator:
            raise ValueError(f"--webhook needs NAME=URL, not {assignment}")
        kind, _, action = name.partition(":")
        if kind == "action_verify":
            vetoes[action or "*"] = url
        else:
            values[name] = url
    return msgspec.convert(values | {"action_verify": vetoes}, WebhookUrls)


def _settings(arguments: argparse.Namespace, port: int) -> SimulatorSettings:
    smtp_host, _, smtp_port = arguments.smtp.rpartition(":")
    if not smtp_host or not smtp_port.isdigit():
        raise ValueError(f"--smtp needs HOST:PORT, not {arguments.smtp}")
    return SimulatorSettings(
        tenant_id=str(arguments.tenant_id),
        secret_keys=read_secret_keys(arguments.secret_key_file),
        smtp_host=smtp_host,
        smtp_port=int(smtp_port),
        state_file=arguments.state_file,
        ui_url=(arguments.ui_url or f"http://localhost:{port}").rstrip("/"),
        allow_origins=frozenset(origin.rstrip("/") for origin in arguments.allow_origin),
        rp_id=arguments.rp_id,
        webhooks=_webhooks(arguments.webhook),
        tunables=_tunables(arguments.set),
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def main(argv: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM. Whatever is wrong at start is one line on stderr and exit code 1."""
    arguments = _parser().parse_args(argv)
    try:
        listener = _listen(arguments.host, arguments.port)
        port = listener.getsockname()[1]
        app = create_app(_settings(arguments, port))
    except (OSError, ValueError, StoreUnusable) as error:
        print(f"authsignal simulator: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        app,
        http=AbortableProtocol,
        ws="wsproto",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,  # longer than clients keep an idle connection: none is closed under a request on its way
        server_header=False,
    )
    server = uvicorn.Server(config)
    # A stop asked for before the server hears signals itself is noted, never raised: an exception out of a handler is lost
    # when it strikes inside a callback of the collector. The server raises each signal once more when it has stopped in
    # good order; it is only noted then too, so that the exit code is 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    print(f"authsignal simulator: listening on http://{arguments.host}:{port}", flush=True)
    server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
