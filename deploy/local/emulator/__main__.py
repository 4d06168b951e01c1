"""
Run the corrected emulator: ``python -m deploy.local.emulator``, with ministack's interpreter.

Everything else is set by ministack's own environment variables; SIGTERM saves the state and stops.
"""

import sys

from deploy.local.emulator.compat import WrongEmulator, apply


def main() -> int:
    """Correct, then serve until a signal comes."""
    try:
        apply()
    except WrongEmulator as exc:
        print(exc, file=sys.stderr)
        return 1
    from ministack import app

    sys.argv[1:] = []  # ministack reads the command line too, and ours is not for it
    app.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
