"""A benchmark as a process: it ends when it is asked to, and stops what it started."""

import subprocess
import sys
import textwrap

import pytest

BEFORE = """
import contextlib, signal, time, weakref
from benchmarks.lab.process import leave_on_terminate

leave_on_terminate()
with contextlib.closing(type("Child", (), {"close": lambda _: print("stopped")})()):
"""
ASKED_WHERE = {
    "anywhere": "signal.raise_signal(signal.SIGTERM)",
    "in a callback of a weak reference": """
thing = type("Thing", (), {})()
watch = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
del thing
""",
    "in a destructor": """
thing = type("Thing", (), {"__del__": lambda _: signal.raise_signal(signal.SIGTERM)})()
del thing
""",
}


@pytest.mark.parametrize("asked", ASKED_WHERE.values(), ids=ASKED_WHERE.keys())
def test_a_stop_is_never_lost(asked: str) -> None:
    """
    Asked to stop, also where Python drops exceptions, a benchmark leaves its blocks in order and ends with 143.
    """
    script = BEFORE + textwrap.indent(f"{asked.strip()}\ntime.sleep(120)\n", "    ")

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "stopped\n", "")
