"""Tell which names of fields, headers and parameters are those of secrets."""

import re
import unicodedata
from functools import lru_cache

# In a name without separators: "X-Api-Key", "x_api_key" and "xApiKey" are "xapikey".
_SECRET_PARTS = re.compile(
    r"passw(or)?d|passphrase|passcode|secret(?!ar)|credential|creds|authorization|connectionstring"
    r"|(api|private|account|shared|signing|encryption|subscription|function|access|auth|host|master|license"
    r"|describer|vlm|storage|ssh|deploy|client|consumer|server|hmac|webhook)keys?(?!id)"
    r"|cookie|bearer|jwt|(amz|goog)signature|session(id|key)|taskdatalogin"
)
# At the end of a name, except for tokens that are words of a language model.
_SECRET_END = re.compile(r".*(?<!bos)(?<!eos)(?<!pad)(?<!unk)(?<!mask)(?<!cls)(?<!sep)token(value)?\d*")
_SECRET_LAST_WORD = re.compile(r"(.*_)?(pwd|pass|pw|auth|refresh|sas|pin|pat|otp|sid)\d*")
_SIGNATURE_LAST_WORD = re.compile(r"(.*_)?(signature|sig|sign|hmac|hdnts|hdnea|hdntl)")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_CASE_CHANGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether a field or header of this name holds a secret, in any case and with any separators.

    "token", "access_token", "X-Api-Key", "clientSecret" and "AWSSecretAccessKey" do. "key", "tokens",
    "token_type", "max_new_tokens", "aws_access_key_id" and "secretary" do not.
    """
    words = _to_words(name)
    compact = words.replace("_", "")
    return (
        _SECRET_PARTS.search(compact) is not None
        or _SECRET_END.fullmatch(compact) is not None
        or _SECRET_LAST_WORD.fullmatch(words) is not None
    )


@lru_cache(maxsize=4096)
def is_secret_parameter(name: str) -> bool:
    """Tell whether a parameter of an address holds a secret: also the signature of a presigned address."""
    return is_secret_name(name) or _SIGNATURE_LAST_WORD.fullmatch(_to_words(name)) is not None


def _to_words(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name[:200])
    return _SEPARATORS.sub("_", _CASE_CHANGE.sub("_", plain).lower()).strip("_")
