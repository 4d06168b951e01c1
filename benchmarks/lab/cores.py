"""One core for the programs under test, another for what loads and answers them."""

import os
import sys
from typing import NamedTuple


class TooFewCores(Exception):
    """No two cores to hand out: a single one is here, or the system does not let a program choose."""


class Cores(NamedTuple):
    """Core numbers, as the kernel counts them."""

    server: int
    load: int


def pick_cores() -> Cores:
    """
    Return two different cores that this process may use.

    Raises:
        TooFewCores: There is only one, or this is not Linux.
    """
    if sys.platform != "linux":
        raise TooFewCores("the benchmark pins programs to cores and reads their clocks, which only works on Linux")
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise TooFewCores("the benchmark needs two cores: one for the services, one for the load")
    return Cores(server=allowed[0], load=allowed[1])
