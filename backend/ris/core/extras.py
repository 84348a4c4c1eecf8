"""Packages that only some commands need: the extras of this package."""

import importlib.util

from ris.errors import SettingsError


def is_installed(package: str) -> bool:
    """Return whether a top-level package can be imported; it is not imported."""
    return importlib.util.find_spec(package) is not None


def require_extra(extra: str, package: str, user: str) -> None:
    """Check that the package of an extra is installed.

    Args:
        extra: name of the extra in pyproject.toml.
        package: top-level package that is imported.
        user: what needs it, as the subject of the message, e.g. "ris report".

    Raises:
        SettingsError: it is not installed; the message says how to install it.
    """
    if not is_installed(package):
        raise SettingsError(f"{user} needs {package}: pip install 'referring-segmentation-backend[{extra}]'")
