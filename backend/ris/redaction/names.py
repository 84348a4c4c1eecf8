"""Tell which names of fields, headers and parameters are those of secrets."""

import re
from functools import lru_cache

_SEPARATORS = re.compile(r"[^a-z0-9]+")
# Matched in the name without its separators: "X-Api-Key", "x_api_key" and "xApiKey" are "xapikey".
_SECRET_PARTS = re.compile(
    r"passw(or)?d|passphrase|passcode|secret(?!ar)|credential|authorization|connectionstring"
    r"|(api|private|account|shared|signing|encryption|subscription|function|access|auth|host|master|license)"
    r"keys?(?!id)"
    r"|(access|refresh|auth|session|security|id|api|csrf|xsrf|bearer|personal|bot|webhook|sas)token"
    r"|cookie|bearer|jwt|session(id|key)"
)
_SECRET_ENDS = re.compile(r"(^|.*[^a-z0-9])(tokens?value|token|pwd|pass|auth|refresh|sas|pin|pat|otp)")
_SECRET_NAMES = frozenset({"taskdatalogin", "xapikey", "apikey", "sid", "passwd"})
_SIGNATURE_ENDS = re.compile(r"(.*[^a-z0-9])?(signature|sig|sign|hmac|hdnts|hdnea|hdntl)")
_CASE_CHANGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether a field or header of this name holds a secret, in any case and with any separators.

    "token", "access_token", "X-Api-Key", "clientSecret" and "AWSSecretAccessKey" do. "key", "tokens",
    "token_type", "max_new_tokens", "aws_access_key_id" and "secretary" do not.
    """
    words = _CASE_CHANGE.sub("_", name[:200]).lower()
    compact = _SEPARATORS.sub("", words)
    return (
        _SECRET_PARTS.search(compact) is not None
        or _SECRET_ENDS.fullmatch(words) is not None
        or compact in _SECRET_NAMES
    )


@lru_cache(maxsize=4096)
def is_secret_parameter(name: str) -> bool:
    """Tell whether a parameter of an address holds a secret: also the signature of a presigned address."""
    words = _CASE_CHANGE.sub("_", name[:200]).lower()
    return is_secret_name(name) or _SIGNATURE_ENDS.fullmatch(words) is not None
