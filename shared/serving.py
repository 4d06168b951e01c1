"""How each service runs: uvicorn on uvloop and httptools, the collector tuned, connections drained at the end."""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
import uvicorn

from shared.settings import SettingsError, load
from shared.telemetry.logging import configure_logging

GENERATION_0_THRESHOLD = 50_000
DRAIN_SECONDS = 10


S = TypeVar("S", bound=Any)


def tune_collector() -> None:
    """
    Take what was loaded at start out of the garbage collector's sight and let it run more seldom.

    What was loaded never becomes garbage, and looking through it again and again is what a collection mostly costs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GENERATION_0_THRESHOLD, 20, 100)


def serve(app: Any, *, host: str, port: int) -> None:
    """Serve an ASGI application until SIGTERM or SIGINT; requests under way get `DRAIN_SECONDS` to finish."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=2048,
    )
    server = uvicorn.Server(config)
    tune_collector()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve())


def run_service(name: str, settings_type: type[S], create_app: Callable[[S], Any], *, epilog: str | None = None) -> None:
    """
    Be the main program of a service: read the settings named on the command line, wire, serve.

    `epilog` is what ``--help`` says at its end.
    A settings or secret file that is wrong ends the process with one line and status 1, before the port opens.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{name}",
        description=f"Run the {name} service.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = os.environ.get("COUNTERSIGN_SETTINGS")
    parser.add_argument(
        "--settings", required=default is None, default=default, metavar="FILE", help="TOML file; or COUNTERSIGN_SETTINGS"
    )
    arguments = parser.parse_args()
    try:
        settings = load(settings_type, arguments.settings)
        configure_logging(name, level=settings.log_level)
        app = create_app(settings)
    except SettingsError as error:
        sys.exit(f"{name}: {error}")
    structlog.get_logger(__name__).info("service.started", host=settings.host, port=settings.port)
    serve(app, host=settings.host, port=settings.port)
