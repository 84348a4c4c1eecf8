"""Run `ris` with a clock that is off by the days in a file: `python shifted_clock.py FILE serve`."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ris import __main__, assembly


def main():
    """Replace the program's clock and run it."""
    file = Path(sys.argv.pop(1))
    assembly.get_utc_now = lambda: datetime.now(UTC) + timedelta(days=float(file.read_text()))
    __main__.main()


if __name__ == "__main__":
    main()
