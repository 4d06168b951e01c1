"""GET /healthz and GET /readyz."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Request, get

from shared.problems import Problem, retry_after

AnyRequest = Request[Any, Any, Any]

CHECK_SECONDS_MAX: Final = 2.0
CACHE_SECONDS: Final = 1.0


class NotReady(Problem):
    """Something that this service cannot work without does not answer."""

    code = "not_ready"
    status = 503
    title = "Not ready"
    detail = "A dependency does not answer yet."


class Readiness:
    """
    Asks the dependencies, at most once a second however often it is asked itself.

    Args:
        checks: Name to a call that returns when the dependency is fine and raises when it is not.
    """

    def __init__(self, checks: dict[str, Callable[[], Awaitable[Any]]]) -> None:
        self._checks = checks
        self._failing: list[str] = []
        self._checked_at = -CACHE_SECONDS
        self._lock = asyncio.Lock()

    async def failing(self) -> list[str]:
        """Return the names of the dependencies that do not answer."""
        async with self._lock:
            if time.monotonic() - self._checked_at >= CACHE_SECONDS:
                results = await asyncio.gather(*map(_answers, self._checks.values()))
                self._failing = [name for name, is_fine in zip(self._checks, results, strict=True) if not is_fine]
                self._checked_at = time.monotonic()
            return self._failing


async def _answers(check: Callable[[], Awaitable[Any]]) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS_MAX):
            await check()
    except Exception:
        return False  # Whatever the reason: the dependency is not usable now, and it logs its own failures.
    return True


@get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process is up."""
    return {"status": "ok"}


@get("/readyz")
async def readyz(request: AnyRequest) -> dict[str, str]:
    """Say that queue and database answer, and that the database has this release's schema."""
    readiness: Readiness = request.app.state.readiness
    failing = await readiness.failing()
    if failing:
        raise NotReady(
            f"not ready: {', '.join(failing)}",
            detail=f"Not answering yet: {', '.join(failing)}.",
            headers=retry_after(1),
            extensions={"failing": failing},
        )
    return {"status": "ready"}
