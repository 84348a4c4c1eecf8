"""The command line: parse, call, print. What a command does lives in the folder it calls."""

from ris.cli.app import root_app

__all__ = ["root_app"]
