"""What one delivery holds, without I/O."""

import hmac
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from services.audit.exporting.formats import Record, ndjson, ocsf
from services.audit.streaming.settings import StreamFormat

LINES: Final[dict[StreamFormat, Callable[[Record], bytes]]] = {"ndjson": ndjson, "ocsf": ocsf}
SIGNATURE_VERSION: Final = "v1"


class Batch(NamedTuple):
    """Lines of consecutive entries: `last_leaf` is inclusive."""

    first_leaf: int
    last_leaf: int
    entry_count: int
    body: bytes


def first_batch(records: Sequence[Record], stream_format: StreamFormat, bytes_max: int) -> Batch:
    """Return a batch from the first records on, of at most `bytes_max` bytes but at least one record."""
    write = LINES[stream_format]
    lines: list[bytes] = []
    size = 0
    for record in records:
        line = write(record)
        if lines and size + len(line) > bytes_max:
            break
        lines.append(line)
        size += len(line)
    last = records[len(lines) - 1]
    return Batch(records[0].leaf_index, last.leaf_index, len(lines), b"".join(lines))


def signature(keys: Sequence[str], timestamp: int, body: bytes) -> str:
    """
    Return the value of ``Countersign-Signature``: for each key, HMAC-SHA256 over ``<timestamp>.<body>`` in hex.

    A receiver accepts when one of them is its key's, and refuses a timestamp that is more than five minutes off.
    """
    signed = f"{timestamp}.".encode() + body
    return ",".join(f"{SIGNATURE_VERSION}={hmac.digest(key.encode(), signed, 'sha256').hex()}" for key in keys)
