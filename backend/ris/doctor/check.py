"""The result of one check."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes:
        name: what was checked, such as "webhook".
        is_ok: whether it works.
        message: what was found; if it does not work, also what to change.
        is_warning: whether it works, but not for every use; the message says for which.
    """

    name: str
    is_ok: bool
    message: str
    is_warning: bool = False
