"""Remove the state of the local stack: ``python3 -m deploy.local.clean``. Standard library alone."""

import shutil
import sys

from deploy.local import lock
from deploy.local.errors import StackError
from deploy.local.layout import DEFAULT_STATE_DIR, Layout


def main() -> int:
    """Remove accounts, audit log, keys and logs; return 0, or 1 when a stack still uses them."""
    layout = Layout(DEFAULT_STATE_DIR)
    if not layout.root.exists():
        print("Nothing to remove.")
        return 0
    try:
        with lock.held(layout.lock_file):
            shutil.rmtree(layout.root)
    except (StackError, OSError) as exc:
        print(f"✗ {exc}", file=sys.stderr)
        return 1
    print(f"Removed {layout.root}: accounts, audit log, keys and logs.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
