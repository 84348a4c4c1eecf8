"""Redact secrets in JSON: the values of secret fields at any depth, and secrets in strings."""

import json
import re
from collections.abc import Callable
from operator import is_not
from typing import Any

from ris.redaction.names import is_secret_name
from ris.redaction.text import REDACTED, redact_string, redact_user

_WEB_ADDRESS = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)
_HEADER_NAME = re.compile(r"(proxy-)?authorization|(set-)?cookie|[a-z]+(-[a-z]+)+", re.IGNORECASE)
_NAME_KEYS, _VALUE_KEYS = ("name", "key", "header"), frozenset({"value", "val"})
_NUMBER_TYPES = frozenset({int, float})
_MAX_NESTED_TEXTS = 4  # JSON in a string in JSON ...


def redact_json(value: Any) -> Any:
    """Replace the secrets in parsed JSON; keys, structure and types stay. What holds none is not copied.

    The value of a secret field (`is_secret_name`) becomes "***", a number 0; a list or an object keeps its
    form, and each of its values is replaced. So is the value of {"name": "X-Api-Key", "value": ...} and of
    ["X-Api-Key", ...]. In other strings `redact_string` replaces what it finds, also inside of a string that
    is JSON itself.
    """
    return _redact(value, _redact_text_value)


def redact_task_data(value: Any) -> Any:
    """Redact the data of a task as `redact_json` does, but keep the parameters of web addresses.

    The image of a task is fetched by its address again, for an export for instance; without its signature a
    presigned address is of no use. User and password are removed, because such an address is never fetched.
    """
    return _redact(value, _redact_reference)


def _redact(value: Any, redact_leaf: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact_leaf(value)
    if isinstance(value, list):
        if _is_header_pair(value):
            return [value[0], _hide(value[1])]
        if _NUMBER_TYPES.issuperset(map(type, value)):
            return value  # masks are long lists of numbers
        items = [_redact(one, redact_leaf) for one in value]
        return items if any(map(is_not, items, value)) else value
    if isinstance(value, dict):
        names_secret = any(
            is_secret_name(value[key]) for key in _NAME_KEYS if isinstance(value.get(key), str)
        )
        made = {
            _redact_key(key): _hide(one)
            if is_secret_name(str(key)) or (names_secret and key in _VALUE_KEYS and isinstance(one, str))
            else _redact(one, redact_leaf)
            for key, one in value.items()
        }
        is_same = not any(map(is_not, made, value)) and not any(map(is_not, made.values(), value.values()))
        return value if is_same and len(made) == len(value) else made
    return value


def _hide(value: Any) -> Any:
    """Replace every text and number in a value; None, booleans and empty texts stay."""
    if isinstance(value, str):
        return value and REDACTED
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, dict):
        return {_redact_key(key): _hide(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_hide(one) for one in value]
    return type(value)(0)


def _is_header_pair(value: list[Any]) -> bool:
    return (
        len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], str)
        and _HEADER_NAME.fullmatch(value[0]) is not None
        and "-" in value[0] + ("-" if value[0].lower() == "authorization" else "")
        and is_secret_name(value[0])
    )


def _redact_key(key: Any) -> Any:
    return redact_string(key) if isinstance(key, str) and "://" in key else key


def _redact_text_value(text: str) -> str:
    return _redact_nested(text, _MAX_NESTED_TEXTS)


def _redact_reference(text: str) -> str:
    return redact_user(text) if _WEB_ADDRESS.fullmatch(text) else _redact_nested(text, _MAX_NESTED_TEXTS)


def _redact_nested(text: str, levels: int) -> str:
    """Redact a text; one that is JSON is parsed, and written again if a secret was in it."""
    if not levels or not text.lstrip().startswith(("{", "[", '"')):
        return redact_string(text)
    try:
        parsed = json.loads(text, object_pairs_hook=_make_object)
        clean = _redact(parsed, lambda inner: _redact_nested(inner, levels - 1))
        if clean == parsed:
            return text
        return json.dumps(clean, separators=None if '": ' in text else (",", ":"))
    except (ValueError, RecursionError):
        return redact_string(text)


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is there twice, and the parsed object would lose the first")
    return made
