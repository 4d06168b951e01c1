"""
Measure publishing in this very process: ``python -m benchmarks.publish STUBS_PORT``; prints the figures as JSON.

Both ways build, number, salt, hash and serialise the same event; what differs is how it gets onto the queue. Rounds alternate;
the clock is this process's CPU clock, all threads in it.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import msgspec
import uvloop
from aiobotocore.session import get_session

from benchmarks.contenders.constants import QUEUE_PATH, REGION
from benchmarks.contenders.obvious.audit import OneByOne
from benchmarks.lab.figures import Row, median, median_ratio
from benchmarks.lab.raw_http import Connection
from shared.audit_trail import AuditTrail
from shared.events import AuthsignalRef, Client, Draft, EventType, HttpRef, Outcome, Subject
from shared.serving import tune_collector
from shared.settings import AwsSettings
from shared.sqs import queue_sender

Record = Callable[[Draft], Awaitable[object]]

ROUNDS: Final = 7
SLICE_SECONDS: Final = 0.5
AT_ONCE: Final = 64
TRAIL: Final = "AuditTrail"
ONE_BY_ONE: Final = "one SendMessage per event"

EVENT: Final = Draft(
    event_type=EventType.SIGN_IN_SUCCEEDED,
    outcome=Outcome.SUCCESS,
    request_id="f3c1a2b4d5e6f708192a3b4c",
    trace_id="0af7651916cd43dd8448eb211c80319c",
    attempt_id="019ab9d2-6f1c-7a55-9f4e-0f6a3c1d2e4f",
    subject=Subject(sub="00000001-0000-4000-8000-000000000000", email_hash="a" * 64),
    client=Client(ip="203.0.113.7", user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    authsignal=AuthsignalRef(
        action="signIn", idempotency_key="019ab9d2-6f1c-7a55-9f4e-0f6a3c1d2e50", state="CHALLENGE_SUCCEEDED", method="EMAIL_OTP"
    ),
    http=HttpRef(method="POST", route="/v1/attempts/{attempt_id:str}/verifications"),
)


async def measure(stubs_port: int) -> dict[str, Any]:
    """Return the rows of the table and the promised ratio."""
    url = f"http://127.0.0.1:{stubs_port}"
    async with AsyncExitStack() as stack:
        settings = AwsSettings(aws_region=REGION, aws_endpoint_url=url)
        trail = AuditTrail(await stack.enter_async_context(queue_sender(settings, url + QUEUE_PATH)), "benchmark")
        stack.push_async_callback(trail.close)
        client = get_session().create_client("sqs", region_name=REGION, endpoint_url=url)
        one_by_one = OneByOne(await stack.enter_async_context(client), url + QUEUE_PATH, "benchmark")
        ways: dict[str, Record] = {ONE_BY_ONE: one_by_one.record, TRAIL: trail.record}
        for record in ways.values():
            await _publish(record)
        tune_collector()
        cpu: dict[str, list[float]] = {name: [] for name in ways}
        packed: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, record in ways.items():
                messages, started = await _messages(stubs_port), time.process_time()
                events = await _publish(record)
                cpu[name].append((time.process_time() - started) / events * 1e6)
                packed[name].append(events / (await _messages(stubs_port) - messages))
        gc.unfreeze()
    rows: dict[str, Row] = {
        name: {
            "us per event": median(cpu[name]),
            "spread": f"{min(cpu[name]):.0f} to {max(cpu[name]):.0f}",
            "events per message": median(packed[name]),
        }
        for name in ways
    }
    ratio = median_ratio(cpu[ONE_BY_ONE], cpu[TRAIL])
    return {"rows": rows, "ratios": {"one SendMessage per event / AuditTrail": ratio}, "rounds": cpu, "at_once": AT_ONCE}


async def _publish(record: Record) -> int:
    """Keep `AT_ONCE` authors recording for `SLICE_SECONDS`; return how many events were acknowledged."""
    ends_at = time.perf_counter() + SLICE_SECONDS
    events = 0

    async def author() -> None:
        nonlocal events
        while time.perf_counter() < ends_at:
            await record(EVENT)
            events += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(author())
    return events


async def _messages(stubs_port: int) -> int:
    connection = await Connection.open(stubs_port)
    answer = await connection.ask("GET", "/counts", b"")
    connection.close()
    return msgspec.json.decode(answer.body, type=dict[str, int]).get("SendMessage", 0)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(measure(int(sys.argv[1])))))
