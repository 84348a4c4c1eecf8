"""Text that every database takes: no NUL, no half of a surrogate pair."""

import re
from typing import Any, overload

HALVES = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


@overload
def to_storable(value: str) -> str: ...


@overload
def to_storable(value: Any) -> Any: ...


def to_storable(value: Any) -> Any:
    """JSON with text that can be stored and sent, at any depth, keys too; everything else as it is.

    A NUL is dropped: PostgreSQL takes none. Half of a surrogate pair, such as half an emoji, becomes U+FFFD:
    no encoding of Unicode has it.
    """
    if isinstance(value, str):
        return HALVES.sub(REPLACEMENT, value.replace("\x00", ""))
    if isinstance(value, dict):
        return {to_storable(name): to_storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [to_storable(one) for one in value]
    return value
