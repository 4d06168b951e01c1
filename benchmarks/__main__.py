"""
Measure what the README claims: ``python -m benchmarks``, or ``make bench``.

Prints Markdown tables and writes the same figures, with every round, to ``benchmarks/out/``. All traffic stays on this machine.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from benchmarks.contenders.constants import AWS_ENVIRONMENT
from benchmarks.lab.cores import Cores, TooFewCores, pick_cores
from benchmarks.lab.figures import OUT, keep, table
from benchmarks.lab.process import REPOSITORY, StartFailed, leave_on_terminate
from benchmarks.sign_in.journey import UnexpectedAnswer
from benchmarks.sign_in.lineup import Lineup
from benchmarks.sign_in.measure import HopsDiffer, Measurement
from shared.serving import tune_collector

SIGN_IN_SECONDS_MAX: Final = 180.0
PUBLISH_SECONDS_MAX: Final = 45.0


def main() -> int:
    """Run everything; return 0, or 1 after one line that says what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the README claims.")
    parser.add_argument("--rounds", type=int, default=9, help="how often every contender is loaded (default 9)")
    parser.add_argument("--at-once", type=int, default=64, help="people signing in at the same time (default 64)")
    parser.add_argument("--slice-seconds", type=float, default=1.5, help="how long each load lasts (default 1.5)")
    options = parser.parse_args()
    leave_on_terminate()
    try:
        cores = pick_cores()
        os.sched_setaffinity(0, {cores.load})
        tune_collector()
        _run(cores, options)
    except (TooFewCores, StartFailed, UnexpectedAnswer, HopsDiffer, OSError, subprocess.SubprocessError) as error:
        print(f"✗ {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except ExceptionGroup as errors:
        print(f"✗ {errors.exceptions[0]}", file=sys.stderr)
        return 1
    return 0


def _run(cores: Cores, options: argparse.Namespace) -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder, ExitStack() as stack:
        lineup = Lineup(cores, Path(folder), stack)
        published = _publish(cores, lineup)
        _show("Audit publish, CPU per event in the producer", published)
        keep("publish", published)
        _say("starting the contenders")
        signed_in = uvloop.run(_sign_in(lineup, options))
        _show("One sign-in by e-mail code, CPU of gateway + challenge service", signed_in)
        keep("sign-in", signed_in)
    print(f"\nTook {time.monotonic() - started:.0f} s. Figures of every round: {OUT.relative_to(REPOSITORY)}/")


def _publish(cores: Cores, lineup: Lineup) -> dict[str, Any]:
    _say("publishing audit events")
    done = subprocess.run(
        ["taskset", "--cpu-list", str(cores.server), sys.executable, "-m", "benchmarks.publish", str(lineup.stubs.port)],
        cwd=REPOSITORY,
        env={**os.environ, **AWS_ENVIRONMENT},
        stdout=subprocess.PIPE,
        timeout=PUBLISH_SECONDS_MAX,
        check=True,
    )
    figures: dict[str, Any] = msgspec.json.decode(done.stdout)
    return figures


async def _sign_in(lineup: Lineup, options: argparse.Namespace) -> dict[str, Any]:
    contenders = lineup.contenders()
    measurement = Measurement(lineup, contenders, at_once=options.at_once, slice_seconds=options.slice_seconds)
    async with asyncio.timeout(SIGN_IN_SECONDS_MAX):
        _say("warming up")
        await measurement.warm_up()
        for number in range(options.rounds):
            _say(f"round {number + 1} of {options.rounds}")
            await measurement.round()
    return {
        "rows": measurement.rows(),
        "ratios": measurement.ratios(),
        "rounds": {name: samples.both for name, samples in measurement.samples.items()},
        "at_once": options.at_once,
        "slice_seconds": options.slice_seconds,
    }


def _show(title: str, figures: dict[str, Any]) -> None:
    print(f"\n## {title}\n\n{table(figures['rows'])}\n", flush=True)
    for name, ratio in figures["ratios"].items():
        print(f"{name}: {ratio:.2f}x", flush=True)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K… {what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
