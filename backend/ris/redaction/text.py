"""Redact secrets in text: in addresses, headers, JSON and assignments, and tokens that are known by shape."""

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import unquote

from ris.redaction.names import is_secret_name, is_secret_parameter

REDACTED = "***"
_Match = re.Match[str]
_Rule = tuple[re.Pattern[str], "str | Callable[[_Match], str]"]

# A text without one of these holds no secret that a rule finds.
_HINTS = re.compile(r"[:=@]|%3|%2|eyJ|[Bb]earer|Basic|Token|PRIVATE|[a-z]{2,3}[_-][A-Za-z0-9]{16}|AIza|ya29")
_DATA_URI = re.compile(r"data:[\w/+.-]{1,80};base64,[A-Za-z0-9+/=_%\s-]*")
_PLAIN_VALUES = frozenset({"None", "null", "True", "False", "true", "false"})


def redact_text(text: str) -> str:
    """Replace the secrets in a message by "***": for logs, errors, answers and the console.

    Found are user and password in addresses, the secret parameters of addresses (also percent-encoded), the
    values of secret headers, fields and variables (`is_secret_name`), private keys, and tokens that are known
    by their shape. Applying it twice changes nothing more.
    """
    return _apply(_MESSAGE_RULES, redact_string(text))


def redact_string(text: str) -> str:
    """Replace the secrets in a text that a person may have written, such as an expression or a label.

    It leaves out those rules of `redact_text` that a plain sentence may meet.
    """
    if not _HINTS.search(text) or _DATA_URI.fullmatch(text):
        return text
    return _apply(_STRING_RULES, text)


def redact_user(text: str) -> str:
    """Replace user and password in the addresses of a text; keep the parameters of the addresses."""
    return _apply(_USER_RULES, text) if "@" in text or "%" in text else text


def _apply(rules: tuple[_Rule, ...], text: str) -> str:
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def _redact_parameter(match: _Match) -> str:
    name = match["name"]
    while (plain := unquote(name)) != name:
        name = plain
    return match["head"] + REDACTED if is_secret_parameter(name) else match[0]


def _redact_value(match: _Match) -> str:
    """Replace the group `value`, if the group `name` is the name of a secret."""
    if not is_secret_name(match["name"]) or match["value"] in _PLAIN_VALUES:
        return match[0]
    return (
        match[0][: match.start("value") - match.start()]
        + REDACTED
        + match[0][match.end("value") - match.start() :]
    )


def _redact_basic(match: _Match) -> str:
    """Replace what is base64 of "user:password"; "Basic shapes" is none."""
    try:
        is_login = b":" in base64.b64decode(match["value"] + "==")
    except binascii.Error:
        is_login = False
    return f"{match['head']}{REDACTED}" if is_login else match[0]


_SLASHES = r":(?:\\?/){2}"
_DATABASES = r"(?:postgres(?:ql)?|mysql|mariadb|rediss?|mongodb|amqps?|mssql|oracle|clickhouse|snowflake)"
_END = r'\s"<>'  # ends an address in a text
_RUN = re.compile(rf"[^{_END}]+")  # what may be an address
_USER_PATTERNS = (
    # A database's password may hold "/", "?" and "#", as SQLAlchemy allows.
    re.compile(rf"(?i)\b({_DATABASES}(?:\+\w+)?{_SLASHES})[^{_END}]*@"),
    re.compile(rf"({_SLASHES})[^{_END}\\/?#]*@"),
    # "user:pa/ss@host" is no host with a port, so it is a user with a password.
    re.compile(rf"({_SLASHES})(?!\[)[^{_END}\\/?#@:]*:(?!\d+[/?#]|\d*$)[^{_END}]*@"),
    re.compile(rf"(?<![:\w/\\])(//)[^{_END}\\/?#@:]+:[^{_END}\\/?#@]*@"),
)
_ENCODED_USER = re.compile(
    rf"(?i)(%(?:25)*3A(?:%(?:25)*2F){{2}})(?:(?!%(?:25)*(?:2F|3F|23))[^{_END}/?#&])*(%(?:25)*40)"
)


def _redact_run(match: _Match) -> str:
    run = match[0]
    # Every pattern runs up to an "@": without the rest each takes time in proportion to the text.
    end = run.rfind("@") + 1
    head, tail = run[:end], run[end:]
    if head and "//" in head.replace("\\", ""):
        for pattern in _USER_PATTERNS:
            head = pattern.sub(rf"\1{REDACTED}@", head)
    return head + tail


_USER_RULES: tuple[_Rule, ...] = (
    (_RUN, _redact_run),
    (_ENCODED_USER, rf"\1{REDACTED}\2"),
)
_PARAMETER_RULES: tuple[_Rule, ...] = (
    (
        re.compile(
            rf"(?P<head>[?&;#](?P<name>[^{_END}=&;?#%]*(?:%(?!(?:25)*3D)[^{_END}=&;?#%]*)*)(?:=|%(?:25)*3[Dd]))"
            rf"(?P<value>[^{_END}&;#]*(?:;[^{_END}&;#=]*(?=[{_END}&;#]|$))*)"
        ),
        _redact_parameter,
    ),
    (
        re.compile(
            rf"(?i)(?P<head>%(?P<depth>(?:25)*)(?:3F|26|3B|23)"
            rf"(?P<name>(?:[^{_END}=&;?#%]|%(?!(?:25)*(?:3D|3F|26|3B|23)))+)(?:=|%(?:25)*3D))"
            rf"(?P<value>(?:(?!%(?P=depth)(?:26|23|3B))[^{_END}&;#])*)"
        ),
        _redact_parameter,
    ),
)
_NAME = r"[A-Za-z_][\w.-]{0,80}"
_QUOTED_NAME = r"[A-Za-z_][\w .-]{0,80}"
_HEADERS = (
    r"x-[\w-]*(?:key|token|secret|signature|auth)"
    r"|[\w-]+-(?:api-key|subscription-key|auth-token|access-token|csrf-token)"
)
_FIELD_RULES: tuple[_Rule, ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)",
            re.DOTALL,
        ),
        REDACTED,
    ),
    # {"name": "value"} and {'name': b'value'}, whole or cut
    (
        re.compile(
            rf"""(?P<q>["'])(?P<name>{_QUOTED_NAME})(?P=q)\s*(?::|=>?)\s*[bu]?"""
            r"""(?P<v>["'])(?P<value>(?:(?!(?P=v))[^\\]|\\.)*)(?:(?P=v)|\\?$)""",
            re.DOTALL,
        ),
        _redact_value,
    ),
    # the same in a string in JSON: {\"name\": \"value\"}
    (
        re.compile(
            rf"""(?P<q>(?<!\\)\\+["'])(?P<name>{_QUOTED_NAME})(?P=q)\s*:\s*(?P=q)(?P<value>.*?)(?:(?<!\\)(?P=q)|$)""",
            re.DOTALL,
        ),
        _redact_value,
    ),
    # numbers, lists and objects
    (
        re.compile(
            rf"""(?P<q>(?<!\\)\\*["'])(?P<name>{_QUOTED_NAME})(?P=q)\s*:\s*"""
            r"""(?P<value>\[[^\]]*(?:\]|$)|\{[^}]*(?:\}|$)|[^\s,}\]"'\\\[{*][^\s,}\]"'\\]*)"""
        ),
        _redact_value,
    ),
    # cookies fill the line
    (
        re.compile(r"(?i)(?<![\w-])((?:set-)?cookie\s*:\s*)(?=[\w.$%!#*+~^|-]{1,200}=)[^\r\n]+"),
        rf"\1{REDACTED}",
    ),
    # "Authorization: Bearer value", ("X-Api-Key", "value"); the values of Digest and AWS4 fill the line
    (
        re.compile(
            r"""(?i)(?<![\w-])((?:proxy-)?authorization\s*:\s*["']?)"""
            r"""(?:Digest|AWS4-HMAC-SHA256)\s[^\r\n]*"""
        ),
        rf"\1{REDACTED}",
    ),
    (
        re.compile(r"""(?i)(?<![\w-])((?:proxy-)?authorization\s*:\s*["']?)(?:\w[\w-]*[ \t]+)?[^\s"',]+"""),
        rf"\1{REDACTED}",
    ),
    (re.compile(rf"""(?i)(?<![\w-])((?:{_HEADERS})\s*:\s*["']?)[^\s"',]+"""), rf"\1{REDACTED}"),
    (
        re.compile(
            rf"""(?i)(?P<q>["'])(?P<name>{_HEADERS}|(?:proxy-)?authorization|(?:set-)?cookie)(?P=q)\s*,\s*b?"""
            r"""(?P<v>["'])(?P<value>(?:(?!(?P=v))[^\\]|\\.)*)(?:(?P=v)|\\?$)"""
        ),
        _redact_value,
    ),
    # name=value, name="value"
    (
        re.compile(
            rf"""(?<![\w$.-])(?P<name>{_NAME})\s?=\s?\\?(?P<v>["'])(?P<value>(?:(?!(?P=v))[^\\]|\\.)*)(?:(?P=v)|\\?$)"""
        ),
        _redact_value,
    ),
    (
        re.compile(
            rf"""(?<![\w$.%-])(?P<name>{_NAME})=(?P<value>[^\s"'&;<>]+(?:[;&][^\s"'&;<>=]+(?=[\s"'&;<>]|$))*)"""
        ),
        _redact_value,
    ),
)
_TOKEN_RULES: tuple[_Rule, ...] = (
    # the address of a proxy without a scheme, as the whole text
    (
        re.compile(r"\A(?!mailto:|acct:|sip:)[\w.+%~-]+:[^\s/@]+@(?=[\w.-]+(?::\d+)?(?:/\S*)?\Z)"),
        f"{REDACTED}@",
    ),
    (re.compile(r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?"), REDACTED),
    (
        re.compile(
            r"(?<![\w-])(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}"
            r"|sk-(?=[\w-]*\d)[\w-]{20,}|xox[abeprs]-[\w-]{10,}|AIza[\w-]{30,}|ya29\.[\w.-]{16,})"
        ),
        REDACTED,
    ),
    (re.compile(r"(?i)\b(bearer\s+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}"), rf"\1{REDACTED}"),
    (re.compile(r"\b(?P<head>[Bb]asic\s+)(?P<value>[A-Za-z0-9+/_-]{4,})={0,2}"), _redact_basic),
    (re.compile(r"\b([Tt]oken\s+)[0-9a-f]{32,}\b"), rf"\1{REDACTED}"),
)
_STRING_RULES = (*_FIELD_RULES[:1], *_USER_RULES, *_PARAMETER_RULES, *_FIELD_RULES[1:], *_TOKEN_RULES)
_MESSAGE_RULES: tuple[_Rule, ...] = (
    # Of "user:pa/ss@host" httpx and urllib quote "pa" as a port.
    (
        re.compile(r"""(Invalid port: |Port could not be cast to integer value as )(["']).*?(?:\2|$)"""),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"""\b(Bearer\s+)[^\s"',;)]+"""), rf"\1{REDACTED}"),
    # user:password@host without a scheme, as in a proxy's address
    (
        re.compile(r"""(?<![\w@:/.%+*~-])(?!mailto:|acct:|sip:)[\w.+%~-]+:[^\s:/@"'<>]+@(?=[\w\[])"""),
        f"{REDACTED}@",
    ),
    # "password: value" at the end of a clause; a sentence such as "the password: it must ..." stays
    (
        re.compile(
            r"""(?im)(?<![\w-])(?P<name>password|passwd|pwd|passphrase|[a-z]+_(?:secret|token|password)"""
            r"""|(?:secret_)?access_key|secret|api_key|private_key)\s*:\s+(?P<value>[^\s,;"'{}()\[\]]+)(?=\s*(?:[,;)}]|$))"""
        ),
        _redact_value,
    ),
)
