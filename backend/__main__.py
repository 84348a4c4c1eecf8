"""`ris` and `python -m backend`: one place where an error becomes one line."""

import sys

from backend.cli import app
from backend.errors import BackendError


def main() -> None:
    """Run the command line; exit 1 with one sentence when it cannot be done."""
    try:
        app()
    except BackendError as error:
        sys.stderr.write(f"ris: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
