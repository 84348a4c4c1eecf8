"""`ris` and `python -m ris`: prints an error as one line, and exits in order on SIGTERM."""

import os
import signal
import sys

from ris.errors import BackendError

_STOPPED_EXIT_CODE = 128 + signal.SIGTERM


def main() -> None:
    """Run the command line. Exits with 1 and one sentence on an error, and with 143 on SIGTERM."""
    signal.signal(signal.SIGTERM, _exit_on_stop_signal)
    from ris.cli import root_app  # here: it takes a while, and SIGTERM may come before it is done

    try:
        root_app()
    except BackendError as error:
        sys.stderr.write(f"ris: {error}\n")
        sys.exit(1)


def _exit_on_stop_signal(*_: object) -> None:
    """Exit through `finally` blocks. Without a handler, process 1 of a container ignores SIGTERM."""
    os.write(2, b"ris: stopped by SIGTERM before it was done\n")  # sys.stderr may be in use
    sys.exit(_STOPPED_EXIT_CODE)


if __name__ == "__main__":
    main()
