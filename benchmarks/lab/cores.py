"""One core for the programs under test, another for what loads and answers them."""

import os
from typing import NamedTuple


class TooFewCores(Exception):
    """This machine, or this process's share of it, has a single core: load and server would disturb each other."""


class Cores(NamedTuple):
    """Core numbers, as the kernel counts them."""

    server: int
    load: int


def pick_cores() -> Cores:
    """
    Return two different cores that this process may use.

    Raises:
        TooFewCores: There is only one.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise TooFewCores("the benchmark needs two cores: one for the services, one for the load")
    return Cores(server=allowed[0], load=allowed[1])
