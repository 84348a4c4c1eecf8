"""Remove secrets from events, failures, parameters of projects and reasons, where they are stored already."""

import base64
import binascii
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 50  # an event may have many megabytes

EVENT = sa.table(
    "event", sa.column("id", sa.Integer), sa.column("digest", sa.String), sa.column("body", sa.JSON),
    sa.column("error", sa.Text),
)  # fmt: skip
FAILURE = sa.table("failure", sa.column("id", sa.Integer), sa.column("sentence", sa.Text))
PROJECT = sa.table("project", sa.column("key", sa.String), sa.column("extra_params", sa.JSON))
TASK = sa.table(
    "task", sa.column("id", sa.Integer), sa.column("left_out", sa.JSON), sa.column("image_url", sa.Text)
)
CORRECTION = sa.table("correction", sa.column("id", sa.Integer), sa.column("image_url", sa.Text))
DELIVERY = sa.table("delivery", sa.column("id", sa.Integer), sa.column("image_url", sa.Text))


def upgrade() -> None:
    """Apply this revision: row by row in pages; what is clean stays as it is, so it can be run again."""
    if op.get_bind().dialect.name == "sqlite":
        # Without it SQLite leaves the old text in the free parts of its file.
        op.get_bind().exec_driver_sql("PRAGMA secure_delete = ON").fetchall()
    _clean_rows(EVENT, "id", _clean_event)
    _clean_rows(FAILURE, "id", lambda row: {"sentence": _redact_text(row["sentence"])})
    _clean_rows(PROJECT, "key", lambda row: {"extra_params": _redact_json(row["extra_params"])})
    _clean_rows(TASK, "id", _clean_task)
    for table in (CORRECTION, DELIVERY):
        _clean_rows(table, "id", lambda row: {"image_url": _redact_user(row["image_url"])})


def downgrade() -> None:
    """Undo nothing: what was removed is gone, and nothing needs it."""


def _clean_rows(
    table: sa.TableClause, key_name: str, clean: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Write the columns that `clean` returns, of rows in which they differ, a page at a time."""
    connection, key = op.get_bind(), table.c[key_name]
    query = sa.select(table).order_by(key).limit(ROWS_AT_ONCE)
    page = connection.execute(query).mappings().all()
    while page:
        for row in page:
            cleaned = clean(dict(row))
            changed = {name: value for name, value in cleaned.items() if value != row[name]}
            if changed:
                connection.execute(sa.update(table).where(key == row[key_name]).values(**changed))
        page = connection.execute(query.where(key > page[-1][key_name])).mappings().all()


def _clean_event(row: dict[str, Any]) -> dict[str, Any]:
    body = _redact_event(row["body"]) if isinstance(row["body"], dict) else row["body"]
    cleaned = {"body": body, "error": row["error"] and _redact_text(row["error"])}
    if body != row["body"]:
        # The digest is that of the text that an equal webhook would be stored as.
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        same = sa.select(EVENT.c.id).where(EVENT.c.digest == digest)
        if op.get_bind().execute(same).first() is None:
            cleaned["digest"] = digest
    return cleaned


def _clean_task(row: dict[str, Any]) -> dict[str, Any]:
    reasons = row["left_out"].items() if isinstance(row["left_out"], dict) else ()
    left_out = {name: _redact_text(one) if isinstance(one, str) else one for name, one in reasons}
    return {"left_out": left_out or row["left_out"], "image_url": _redact_user(row["image_url"])}


def _redact_event(body: dict[str, Any]) -> dict[str, Any]:
    clean: dict[str, Any] = _redact_json(body)
    for name in ("task", "tasks"):
        _restore_task_data(clean.get(name), body.get(name))
    project = body.get("project")
    if isinstance(project, dict) and isinstance(project.get("label_config"), str):
        clean["project"]["label_config"] = project["label_config"]
    return clean


def _restore_task_data(clean: Any, tasks: Any) -> None:
    if isinstance(tasks, list):
        for clean_one, one in zip(clean, tasks, strict=True):
            _restore_task_data(clean_one, one)
    elif isinstance(tasks, dict) and "data" in tasks:
        clean["data"] = _redact_task_data(tasks["data"])


# A copy of the rules of `ris.redaction` at this revision: a migration does not change with the program.
# In a name without separators: "X-Api-Key", "x_api_key" and "xApiKey" are "xapikey".
_SECRET_PARTS = re.compile(
    r"passw(or)?d|passphrase|passcode|secret(?!ar)|credential|creds|authorization|connectionstring"
    r"|(api|private|account|shared|signing|encryption|subscription|function|access|auth|host|master|license"
    r"|describer|storage|ssh|deploy|client|consumer|server|hmac|webhook)keys?(?!id)"
    r"|cookie|bearer|jwt|(amz|goog)signature|session(id|key)|taskdatalogin"
)
# At the end of a name, except for tokens that are words of a language model.
_SECRET_END = re.compile(r".*(?<!bos)(?<!eos)(?<!pad)(?<!unk)(?<!mask)(?<!cls)(?<!sep)token(value)?\d*")
_SECRET_LAST_WORD = re.compile(r"(.*_)?(pwd|pass|pw|auth|refresh|sas|pin|pat|otp|sid)\d*")
_SIGNATURE_LAST_WORD = re.compile(r"(.*_)?(signature|sig|sign|hmac|hdnts|hdnea|hdntl)")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_CASE_CHANGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    """Tell whether a field or header of this name holds a secret, in any case and with any separators."""
    words = _to_words(name)
    compact = words.replace("_", "")
    return (
        _SECRET_PARTS.search(compact) is not None
        or _SECRET_END.fullmatch(compact) is not None
        or _SECRET_LAST_WORD.fullmatch(words) is not None
    )


@lru_cache(maxsize=4096)
def _is_secret_parameter(name: str) -> bool:
    """Tell whether a parameter of an address holds a secret: also the signature of a presigned address."""
    return _is_secret_name(name) or _SIGNATURE_LAST_WORD.fullmatch(_to_words(name)) is not None


def _to_words(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name[:200])
    return _SEPARATORS.sub("_", _CASE_CHANGE.sub("_", plain).lower()).strip("_")


REDACTED = "***"
_Match = re.Match[str]
_Rule = tuple[re.Pattern[str], "str | Callable[[_Match], str]"]

# A text without one of these holds no secret that a rule finds.
_HINTS = re.compile(r"[:=@]|%3|%2|eyJ|[Bb]earer|Basic|Token|PRIVATE|[a-z]{2,3}[_-][A-Za-z0-9]{16}|AIza|ya29")
_DATA_URI = re.compile(r"data:[\w/+.-]{1,80};base64,[A-Za-z0-9+/=_%\s-]*")
_PLAIN_VALUES = frozenset({"None", "null", "True", "False", "true", "false"})


def _redact_text(text: str) -> str:
    """Replace the secrets in a message by "***": for logs, errors, answers and the console."""
    return _apply(_MESSAGE_RULES, _redact_string(text))


def _redact_string(text: str) -> str:
    """Replace the secrets in a text that a person may have written, such as an expression or a label."""
    if not _HINTS.search(text) or _DATA_URI.fullmatch(text):
        return text
    return _apply(_STRING_RULES, text)


def _redact_user(text: str) -> str:
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
    return match["head"] + REDACTED if _is_secret_parameter(name) else match[0]


def _redact_value(match: _Match) -> str:
    """Replace the group `value`, if the group `name` is the name of a secret."""
    if not _is_secret_name(match["name"]) or match["value"] in _PLAIN_VALUES:
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


_WEB_ADDRESS = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)
_HEADER_NAME = re.compile(r"(proxy-)?authorization|(set-)?cookie|[a-z]+(-[a-z]+)+", re.IGNORECASE)
_NAME_KEYS, _VALUE_KEYS = ("name", "key", "header"), frozenset({"value", "val"})
_MAX_NESTED_TEXTS = 4  # JSON in a string in JSON ...


def _redact_json(value: Any) -> Any:
    """Replace the secrets in parsed JSON; keys, structure and types stay."""
    return _redact(value, _redact_text_value)


def _redact_task_data(value: Any) -> Any:
    """Redact the data of a task as `redact_json` does, but keep the parameters of web addresses."""
    return _redact(value, _redact_reference)


def _redact(value: Any, redact_leaf: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact_leaf(value)
    if isinstance(value, list):
        if _is_header_pair(value):
            return [value[0], _hide(value[1])]
        # Masks are long lists of numbers.
        return [one if type(one) is int else _redact(one, redact_leaf) for one in value]
    if isinstance(value, dict):
        names_secret = any(
            _is_secret_name(value[key]) for key in _NAME_KEYS if isinstance(value.get(key), str)
        )
        return {
            _redact_key(key): _hide(one)
            if _is_secret_name(str(key)) or (names_secret and key in _VALUE_KEYS and isinstance(one, str))
            else _redact(one, redact_leaf)
            for key, one in value.items()
        }
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
        and _is_secret_name(value[0])
    )


def _redact_key(key: Any) -> Any:
    return _redact_string(key) if isinstance(key, str) and "://" in key else key


def _redact_text_value(text: str) -> str:
    return _redact_nested(text, _MAX_NESTED_TEXTS)


def _redact_reference(text: str) -> str:
    return _redact_user(text) if _WEB_ADDRESS.fullmatch(text) else _redact_nested(text, _MAX_NESTED_TEXTS)


def _redact_nested(text: str, levels: int) -> str:
    """Redact a text; one that is JSON is parsed, and written again if a secret was in it."""
    if not levels or not text.lstrip().startswith(("{", "[", '"')):
        return _redact_string(text)
    try:
        parsed = json.loads(text, object_pairs_hook=_make_object)
        clean = _redact(parsed, lambda inner: _redact_nested(inner, levels - 1))
        if clean == parsed:
            return text
        return json.dumps(clean, separators=None if '": ' in text else (",", ":"))
    except (ValueError, RecursionError):
        return _redact_string(text)


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is there twice, and the parsed object would lose the first")
    return made
