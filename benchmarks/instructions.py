"""
Instructions per sign-in: ``python -m benchmarks.instructions``; needs valgrind and some minutes.

CPU time moves with whatever else the machine does; how many instructions a sign-in takes hardly does. So this is the figure
to compare two versions of the code by. What it cannot see is time lost to cold caches and to the kernel.
"""

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.lab.cores import pick_cores
from benchmarks.lab.figures import Row, keep, table
from benchmarks.lab.process import leave_on_terminate
from benchmarks.sign_in.journey import Visitor
from benchmarks.sign_in.lineup import REFERENCE, Contender, Lineup

WARM_UP_SIGN_INS: Final = 40
SIGN_INS: Final = 100
AT_ONCE: Final = 8


async def count(contender: Contender) -> Row:
    """Return the millions of instructions that one sign-in takes in each service of a counted contender."""
    visitor = Visitor(contender.gateway.port, sends_keys=True)
    await visitor.arrive()
    await visitor.sign_in_counted(WARM_UP_SIGN_INS, at_once=AT_ONCE)
    before = contender.gateway.instructions(), contender.challenge.instructions()
    await visitor.sign_in_counted(SIGN_INS, at_once=AT_ONCE)
    after = contender.gateway.instructions(), contender.challenge.instructions()
    gateway, challenge = ((b - a) / SIGN_INS / 1e6 for a, b in zip(before, after, strict=True))
    return {"gateway M": gateway, "challenge M": challenge, "both M": gateway + challenge}


def main() -> int:
    """Count reference and product, one after the other."""
    leave_on_terminate()
    cores = pick_cores()
    os.sched_setaffinity(0, {cores.load})
    rows: dict[str, Row] = {}
    for start in (Lineup.reference, Lineup.product):
        with tempfile.TemporaryDirectory(prefix="countersign-count-") as folder, ExitStack() as stack:
            contender = start(Lineup(cores, Path(folder), stack, is_counted=True))
            rows[contender.name] = uvloop.run(count(contender))
    for row in rows.values():
        row["x reference"] = row["both M"] / rows[REFERENCE]["both M"]
    print(table(rows))
    keep("instructions", {"rows": rows, "at_once": AT_ONCE})
    return 0


if __name__ == "__main__":
    sys.exit(main())
