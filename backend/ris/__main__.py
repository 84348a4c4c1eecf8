"""`ris` and `python -m ris`: one place where an error becomes one line, and a stop an orderly end."""

import os
import signal
import sys

from ris.errors import BackendError

_STOPPED_EXIT_CODE = 128 + signal.SIGTERM


def main() -> None:
    """Run the command line; exit 1 with one sentence when it cannot be done, 143 when it was told to stop."""
    signal.signal(signal.SIGTERM, _exit_on_stop_signal)
    from ris.cli import root_app  # seconds, in which a stop may come

    try:
        root_app()
    except BackendError as error:
        sys.stderr.write(f"ris: {error}\n")
        sys.exit(1)


def _exit_on_stop_signal(*_: object) -> None:
    """What was begun is taken back on the way out. Without this, process 1 of a container ignores a stop."""
    os.write(2, b"ris: told to stop before it was done\n")  # sys.stderr may be at work
    sys.exit(_STOPPED_EXIT_CODE)


if __name__ == "__main__":
    main()
