"""The command line: parses options, calls the other packages, and prints."""

from ris.cli.app import root_app

__all__ = ["root_app"]
