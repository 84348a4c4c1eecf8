"""Prepare a webhook's body for storing: without secrets, and as one text for one content."""

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
    """Return the body without tokens, passwords and keys, at any depth.

    Values that databases refuse are replaced (`to_storable`), so that no event is lost because of them.
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
    """Write a body as JSON so that equal bodies give equal texts."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))
