"""Keys of Label Studio's API: legacy tokens, and personal access tokens, which are JSON web tokens (JWT)."""

import base64
import binascii
import json
from datetime import UTC, datetime


def read_expiry(token: str) -> datetime | None:
    """Read when a JWT ends, in UTC, without checking its signature.

    Returns:
        None for a legacy token, which is no JWT and has no end.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None
