"""Image references as addresses: two references with one address lead to the same file.

An address is a guess about identity that costs nothing; the digest of the file is the identity itself.
"""

import hashlib
import posixpath
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

FILE_KEY_PREFIX = "file."  # what the key of a file of tasks begins with: a path in it is one beside that file
SERVED_PATHS = re.compile(r"/(data/upload|data/local-files|storage-data|(api/)?tasks/\d+/(presign|resolve))/")
SIGNED_QUERY_PARAMETERS = re.compile(
    r"x-(amz|goog)-.*|awsaccesskeyid|googleaccessid|signature|expires|key-pair-id|policy"
    r"|sv|se|st|sp|sr|sig|sip|spr|ss|srt|sk(oid|tid|t|e|s|v)",
    re.IGNORECASE,
)
SIGNATURE_PARAMETERS = re.compile(r"(x-(amz|goog)-)?signature|sig", re.IGNORECASE)


def to_address(reference: str, project: str) -> str:
    """The address of an image reference, the same for every way to write it.

    * A path of Label Studio ("upload/1/a.png", "/data/upload/1/../1/a.png", with or without a sub-path) is
      its plain path: one backend serves one Label Studio, so it means the same in every project.
    * Of a web address the host is lower case, and what a signature adds to the query is left out: it changes
      at every listing of a cloud storage.
    * Anything else, such as a path of a local file, means something in its own project alone; so does every
      relative path in a file of tasks, because that may lie beside the file.

    Args:
        reference: as the task's author wrote it.
        project: the key of the task's project.
    """
    reference = reference.strip()
    if reference.startswith("data:"):
        return reference
    try:
        parts = urlsplit(reference)
    except ValueError:
        return f"{project} {reference}"
    if parts.scheme in ("http", "https"):
        query = _drop_signature(parts.query)
        return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, query, ""))
    if parts.scheme:
        return reference
    if project.startswith(FILE_KEY_PREFIX) and not parts.path.startswith("/"):
        return f"{project} {reference}"
    path = _normalise_path(parts.path if parts.path.startswith("/") else "/data/" + parts.path)
    found = SERVED_PATHS.search(path)
    if parts.netloc or not found:
        return f"{project} {reference}"
    query = f"?{parts.query}" if parts.query else ""
    return path[found.start() :] + query


def to_addresses(reference: str, project: str, homes: Sequence[str] = ()) -> tuple[str, ...]:
    """Every address that a reference may be known by, its own first.

    Args:
        homes: Label Studio's own addresses, as we and as browsers see it: with one of them before it, a
            path of Label Studio is the same path.
    """
    own = to_address(reference, project)
    plain = [home.rstrip("/") for home in homes if home]
    if own.startswith("/"):
        return (own, *dict.fromkeys(to_address(home + own, project) for home in plain))
    inside = [
        to_address(own[len(home) :], project) for home in plain if own.lower().startswith(f"{home.lower()}/")
    ]
    return (own, *dict.fromkeys(path for path in inside if path.startswith("/")))


def to_address_key(address: str) -> str:
    """What an address is looked up by: of one length, which an index needs."""
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()


def _normalise_path(path: str) -> str:
    seen = path
    while (plain := unquote(seen)) != seen:
        seen = plain
    return posixpath.normpath("/" + seen.lstrip("/"))


def _drop_signature(query: str) -> str:
    """A query without what signs it; one that nothing signs stays as it is."""
    given = parse_qsl(query, keep_blank_values=True)
    if not any(SIGNATURE_PARAMETERS.fullmatch(name) for name, _ in given):
        return query
    return urlencode([(name, value) for name, value in given if not SIGNED_QUERY_PARAMETERS.fullmatch(name)])
