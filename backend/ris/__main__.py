"""`ris` and `python -m ris`: prints an error as one line, and exits in order on SIGTERM."""

import os
import signal
import sys

from ris.errors import BackendError
from ris.redaction.messages import format_traceback

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
    except Exception as error:  # a fault of the program; Python would print what its messages quote
        sys.stderr.write(f"{format_traceback(error)}\n")
        sys.exit(1)


def _exit_on_stop_signal(*_: object) -> None:
    """Exit through `finally` blocks. Without a handler, process 1 of a container ignores SIGTERM."""
    os.write(2, b"ris: stopped by SIGTERM before it was done\n")  # sys.stderr may be in use
    sys.exit(_STOPPED_EXIT_CODE)


if __name__ == "__main__":
    main()
