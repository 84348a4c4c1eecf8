"""Servers of the live tests: those that `ris quickstart` starts, too."""

from ris.cli.server_process import ServerProcess, find_free_port

__all__ = ["ServerProcess", "find_free_port"]
