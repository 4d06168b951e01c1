"""Where the stacks of a test run listen."""

import random

from tests.stack import free_port_base


def test_no_base_is_given_twice() -> None:
    """
    Whoever draws a base that somebody has, before anything listens there, is given another one.
    """
    state = random.getstate()
    first = free_port_base()
    random.setstate(state)

    assert free_port_base() != first
