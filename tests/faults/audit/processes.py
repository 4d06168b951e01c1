"""The audit service as a process of its own, to be killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from deploy.local.layout import REPOSITORY
from tests.integration.audit.lab import HOST, until

# A machine that runs other tests beside this one may need long to start a process, and to end one.
START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 60.0


@dataclass
class ServiceProcess:
    """A running ``python -m services.audit``."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    async def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, STOP_SECONDS_MAX)


@contextlib.asynccontextmanager
async def service_process(settings: Path, port: int) -> AsyncIterator[ServiceProcess]:
    """Run the service until the block ends, and wait until it answers."""
    log = settings.with_suffix(f".{port}.log")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - over in a moment, and nothing else runs in this loop yet
            [sys.executable, "-m", "services.audit", "--settings", str(settings)],
            cwd=REPOSITORY,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = ServiceProcess(process, log)
    try:
        await until(lambda: _answers(running, port), "answer of the service", seconds_max=START_SECONDS_MAX)
        yield running
    finally:
        if process.poll() is None:
            running.kill()


async def _answers(running: ServiceProcess, port: int) -> bool:
    assert running.process.poll() is None, running.log.read_text()
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://{HOST}:{port}/healthz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
