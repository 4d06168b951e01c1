"""
Many events through the real queue path while consumers are killed: ``python -m benchmarks.chaos``.

Runs a database, a queue and two audit services of its own, prints a table, writes ``benchmarks/out/chaos.json`` and stops by
itself. Exit code 1 when anything was lost, altered, unexplained or did not prove. All traffic stays on this machine.
"""

import argparse
import asyncio
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.lab.figures import keep
from tests.faults.audit.chaos import Outcome, as_table, run_chaos
from tests.integration.audit.lab import TEMPLATE, AwsServer, PostgresServer, queue_pair, running_aws


def main() -> int:
    """Run it; return 0 when the log came out as it must."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description="Kill consumers while events flow.")
    parser.add_argument("--events", type=int, default=100_000, help="how many (default 100,000)")
    parser.add_argument("--kills", type=int, default=8, help="how often one of the two services is killed (default 8)")
    parser.add_argument("--visibility", type=int, default=15, help="seconds a message stays hidden (default 15)")
    parser.add_argument("--seed", type=int, default=1, help="what goes wrong when (default 1)")
    parser.add_argument("--seconds", type=float, default=900, help="give up after this long (default 900)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-chaos-") as folder:
        outcome = _run(Path(folder), options)
    keep("chaos", asdict(outcome))
    print("\n| | |\n| --- | ---: |")
    for name, value in as_table(outcome).items():
        print(f"| {name.replace('_', ' ')} | {value:,} |" if isinstance(value, int) else f"| {name} | {value:.1f} |")
    return 0 if is_sound(outcome) else 1


def is_sound(outcome: Outcome) -> bool:
    """Say whether the log came out as it must."""
    losses = outcome.missing, outcome.altered, outcome.unproven, outcome.quarantine_missing, outcome.unexplained
    return not any(losses) and not outcome.faults and outcome.proven == outcome.stored


def _run(folder: Path, options: argparse.Namespace) -> Outcome:
    server = PostgresServer.make(folder / "postgres")
    try:
        with running_aws(folder / "aws") as aws:
            return asyncio.run(_chaos(server, aws, folder, options))
    finally:
        server.discard()


async def _chaos(server: PostgresServer, aws: AwsServer, folder: Path, options: argparse.Namespace) -> Outcome:
    await server.make_template()
    database = await server.create_database(template=TEMPLATE)
    async with queue_pair(aws) as queue:
        return await run_chaos(
            queue,
            database,
            folder,
            events=options.events,
            kills=options.kills,
            seed=options.seed,
            seconds_max=options.seconds,
            visibility_seconds=options.visibility,
            say=_say,
        )


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
