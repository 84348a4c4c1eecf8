"""Make JSON that every database can store: without NUL, lone surrogates, NaN and endless depth."""

import math
import re
from operator import is_not
from typing import Any, overload

from ris.labelstudio.json_mending import MAX_JSON_DEPTH

_SURROGATES = re.compile("[\ud800-\udfff]")
_INTEGER_TYPE = frozenset({int})
_REPLACEMENT_CHARACTER = "\ufffd"


@overload
def to_storable(value: str) -> str: ...


@overload
def to_storable(value: Any) -> Any: ...


def to_storable(value: Any) -> Any:
    """Replace what cannot be stored, at any depth and in keys too.

    NUL is dropped, because PostgreSQL refuses it. A lone surrogate, such as half an emoji, becomes U+FFFD,
    because UTF-8 cannot encode it. NaN, infinity and values deeper than `MAX_JSON_DEPTH` become None. A list
    or an object in which nothing is replaced is not copied.
    """
    return _to_storable(value, MAX_JSON_DEPTH)


def _to_storable(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub(_REPLACEMENT_CHARACTER, value.replace("\x00", ""))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return None
    if isinstance(value, list):
        if _INTEGER_TYPE.issuperset(map(type, value)):
            return value  # masks are long lists of numbers
        items = [_to_storable(one, levels - 1) for one in value]
        return items if any(map(is_not, items, value)) else value
    made = {_to_storable(str(name), 0): _to_storable(one, levels - 1) for name, one in value.items()}
    is_same = not any(map(is_not, made, value)) and not any(map(is_not, made.values(), value.values()))
    return value if is_same and len(made) == len(value) else made
