"""`ris` and `python -m ris`: one place where an error becomes one line, and a stop an orderly end."""

import os
import signal
import sys

from ris.errors import BackendError

STOPPED = 128 + signal.SIGTERM


def main() -> None:
    """Run the command line; exit 1 with one sentence when it cannot be done, 143 when it was told to stop."""
    signal.signal(signal.SIGTERM, _stop)
    from ris.cli import app  # seconds, in which a stop may come

    try:
        app()
    except BackendError as error:
        sys.stderr.write(f"ris: {error}\n")
        sys.exit(1)


def _stop(*_: object) -> None:
    """What was begun is taken back on the way out. Without this, process 1 of a container ignores a stop."""
    os.write(2, b"ris: told to stop before it was done\n")  # sys.stderr may be at work
    sys.exit(STOPPED)


if __name__ == "__main__":
    main()
