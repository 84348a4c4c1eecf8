"""How a webhook's body is stored: without secrets, as one text per content."""

import json
from collections.abc import Mapping
from typing import Any

from ris.labelstudio.storable import to_storable

_SECRET_KEYS = frozenset(
    {
        "token",
        "access_token",
        "refresh_token",
        "api_key",
        "apikey",
        "password",
        "secret",
        "authorization",
        "cookie",
        "task_data_login",
        "task_data_password",
    }
)


def drop_secrets(body: Any) -> Any:
    """The body without tokens, passwords and keys, at any depth; everything else as it came.

    An event must not be lost over a value that databases refuse: those are as `to_storable` leaves them.
    """
    return _drop_secrets(to_storable(body))


def _drop_secrets(body: Any) -> Any:
    if isinstance(body, dict):
        return {
            name: _drop_secrets(value) for name, value in body.items() if name.lower() not in _SECRET_KEYS
        }
    if isinstance(body, list):  # mostly the numbers of masks
        return [value if type(value) is int else _drop_secrets(value) for value in body]
    return body


def to_canonical_json(body: Mapping[str, Any]) -> str:
    """What the event says as JSON: the same event twice is the same text, letter by letter."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))
