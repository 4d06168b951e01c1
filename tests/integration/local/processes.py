"""Look at processes: whose children they are, and where they listen."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path


def descendants(pid: int) -> dict[int, str]:
    """Return every process below one, with its command line."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    commands = {int(row[0]): row[2] if len(row) > 2 else "" for row in rows}
    parents = {int(row[0]): int(row[1]) for row in rows}
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        children = [child for child, its_parent in parents.items() if its_parent == parent and child not in found]
        found.update({child: commands[child] for child in children})
        waiting += children
    return found


def child_named(pid: int, words: str) -> int:
    """Return the one direct or indirect child whose command line holds these words."""
    (found,) = [child for child, command in descendants(pid).items() if words in command][:1]
    return found


def alive(pids: Iterable[int], *, within_seconds: float = 20.0) -> set[int]:
    """Return those that are still there after some seconds of grace; the dead that nobody has waited for do not count."""
    deadline = time.monotonic() + within_seconds
    while True:
        wanted = ",".join(map(str, pids))
        listed = subprocess.run(["ps", "-o", "pid=,stat=", "-p", wanted], capture_output=True, text=True, check=False).stdout
        left = {int(line.split()[0]) for line in listed.splitlines() if not line.split()[1].startswith("Z")}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def listening(pids: Iterable[int]) -> set[str]:
    """Return the addresses on which these processes take TCP connections, as the kernel tells (Linux)."""
    sockets = {link for pid in pids for link in _open_files(pid)}
    found = set()
    for table, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            listens, inode = fields[3] == "0A", fields[9]
            if listens and f"socket:[{inode}]" in sockets:
                found.add(_address(fields[1].partition(":")[0], family))
    return found


def _open_files(pid: int) -> list[str]:
    names = []
    # A process may end while it is looked at.
    with contextlib.suppress(FileNotFoundError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                names.append(str(descriptor.readlink()))
    return names


def _address(words: str, family: socket.AddressFamily) -> str:
    # The kernel prints each 32-bit word in the machine's own byte order.
    raw = b"".join(bytes.fromhex(words[at : at + 8])[::-1] for at in range(0, len(words), 8))
    return socket.inet_ntop(family, raw)
