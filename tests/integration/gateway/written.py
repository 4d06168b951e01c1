"""Does a text hold a secret? Six digits of a code stand by chance inside ids, hashes and times, and tell nothing there."""

import re
from collections.abc import Iterable


def found(secrets: Iterable[str], text: str) -> list[str]:
    """Return the secrets that stand in a text; digits only where they stand alone, not inside an id or a time."""
    patterns = {s: rf"(?<![0-9a-f.-]){s}(?![0-9a-f-])" if s.isdigit() else re.escape(s) for s in secrets}
    return [secret for secret, pattern in patterns.items() if re.search(pattern, text, re.IGNORECASE)]
