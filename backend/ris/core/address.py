"""Addresses of image references: two references with the same address lead to the same file.

An address is a cheap guess at an image's identity. The digest of the file is the identity itself.
"""

import hashlib
import posixpath
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

FILE_KEY_PREFIX = "file."  # begins the project key of a file of tasks; its relative paths start at that file
SERVED_PATHS = re.compile(r"/(data/upload|data/local-files|storage-data|(api/)?tasks/\d+/(presign|resolve))/")
SIGNED_QUERY_PARAMETERS = re.compile(
    r"x-(amz|goog)-.*|awsaccesskeyid|googleaccessid|signature|expires|key-pair-id|policy"
    r"|sv|se|st|sp|sr|sig|sip|spr|ss|srt|sk(oid|tid|t|e|s|v)",
    re.IGNORECASE,
)
SIGNATURE_PARAMETERS = re.compile(r"(x-(amz|goog)-)?signature|sig", re.IGNORECASE)


def to_address(reference: str, project: str) -> str:
    """Convert an image reference to its address, which is the same for every spelling of the reference.

    * A path of Label Studio ("upload/1/a.png", "/data/upload/1/../1/a.png", with or without a sub-path)
      becomes its plain path. One backend serves one Label Studio, so the path means the same in every
      project.
    * A web address gets a lower-case host and loses the parameters of a signature, because a cloud storage
      signs anew at every listing.
    * Any other reference, such as the path of a local file, is valid in its own project alone. So is a
      relative path in a file of tasks, because the image may lie beside that file.

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
    """List every address that a reference may be stored under, its own first.

    Args:
        reference: as the task's author wrote it.
        project: the key of the task's project.
        homes: Label Studio's base URLs, as the backend and as browsers see it. A path of Label Studio and the
            same path after a base URL lead to the same file.
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
    """Hash an address to a key of fixed length for a database index."""
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()


def _normalise_path(path: str) -> str:
    while (unquoted := unquote(path)) != path:
        path = unquoted
    return posixpath.normpath("/" + path.lstrip("/"))


def _drop_signature(query: str) -> str:
    """Remove the parameters of a signature from a query; a query without a signature stays as it is."""
    parameters = parse_qsl(query, keep_blank_values=True)
    if not any(SIGNATURE_PARAMETERS.fullmatch(name) for name, _ in parameters):
        return query
    kept = [(name, v) for name, v in parameters if not SIGNED_QUERY_PARAMETERS.fullmatch(name)]
    return urlencode(kept, errors="surrogatepass")
