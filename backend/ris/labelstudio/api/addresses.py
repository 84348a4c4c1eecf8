"""Translate a task's image reference to an address, and refuse addresses that images may not come from.

Anybody may have written a reference. With Label Studio's key only its own image paths (`IMAGE_PATHS`) under
the configured address are fetched. A Label Studio under a sub-path writes the sub-path into references
(`/label-studio/data/upload/4/a.png`): the sub-path of a configured address is removed once, and the rest must
be an image path.
"""

import base64
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from ris.errors import LabelStudioError
from ris.redaction.messages import describe_error

IMAGE_PATHS = re.compile(
    r"/(data/upload|data/local-files|storage-data)/|/(api/)?(tasks|projects)/\d+/(presign|resolve)/"
)
CLOUD_SCHEMES = ("s3", "gs", "azure-blob")


@dataclass(frozen=True, slots=True)
class ImageAddresses:
    """The addresses that images may come from.

    Attributes:
        url: Label Studio's address, as this process reaches it.
        public_url: Label Studio's address as browsers see it, if it differs: Label Studio writes it into the
            tasks of local files.
        image_hosts: other hosts, each "host" or "host:port".
    """

    url: str
    public_url: str = ""
    image_hosts: tuple[str, ...] = ()

    def locate(self, reference: str, task_id: int) -> str:
        """Translate a reference to an address: a path of Label Studio, a URL, or cloud storage.

        Args:
            reference: as the task's author wrote it.
            task_id: of the task; Label Studio resolves cloud storage per task.

        Raises:
            LabelStudioError: images may not come from there.
        """
        parts = _split(reference)
        if parts.scheme in CLOUD_SCHEMES:
            code = base64.urlsafe_b64encode(reference.encode()).decode()
            return f"{self.url}/tasks/{task_id}/presign/?fileuri={quote(code)}"
        if not parts.scheme and not parts.netloc:
            path = parts.path if reference.startswith("/") else "/data/" + parts.path
            return self._to_own_address(parts._replace(path=path), [*self._list_sub_paths(), ""])
        if parts.scheme in ("http", "https"):
            return self.check(reference)
        raise LabelStudioError(
            f"its reference starts with {parts.scheme[:20]!r}; "
            "it can be an upload or start with http(s), s3, gs, azure-blob or data"
        )

    def is_own(self, url: str) -> bool:
        """Tell whether an address is Label Studio's, which gets our key."""
        return _get_origin(_split(url)) == _get_origin(_split(self.url))

    def check(self, url: str) -> str:
        """Normalise an address that images may come from.

        Raises:
            LabelStudioError: images may not come from there.
        """
        parts = _split(url)
        if parts.scheme not in ("http", "https") or parts.username or parts.password:
            raise LabelStudioError("its address must be a plain http(s) address, without user and password")
        if self.is_own(url):
            return self._to_own_address(
                parts, [*self._list_sub_paths(), *([] if _split(self.url).path else [""])]
            )
        if self.public_url and _get_origin(parts) == _get_origin(_split(self.public_url)):
            return self._to_own_address(parts, [_split(self.public_url).path, ""])
        host = parts.hostname or ""
        if parts.netloc.lower() not in self.image_hosts and host not in self.image_hosts:
            raise LabelStudioError(f"host {host[:80]!r} is not allowed; if meant, add it to RIS_IMAGE_HOSTS")
        return url

    def _list_sub_paths(self) -> list[str]:
        found = {_split(url).path for url in (self.url, self.public_url)}
        return sorted(found - {""}, key=len, reverse=True)

    def _to_own_address(self, parts: SplitResult, sub_paths: Iterable[str]) -> str:
        """Translate a path, which may start with one of the sub-paths, to an address of Label Studio."""
        path = _normalise(parts.path)
        for sub_path in sub_paths:
            inside = path.removeprefix(sub_path)
            if path.startswith(f"{sub_path}/") and IMAGE_PATHS.match(inside):
                return self.url + urlunsplit(("", "", quote(inside), parts.query, ""))
        hint = "; for a sub-path set RIS_LABEL_STUDIO_PUBLIC_URL" if IMAGE_PATHS.search(path) else ""
        raise LabelStudioError(
            f"cannot read {path[:80]!r}: give a URL, a local path or a Label Studio upload{hint}"
        )


def _split(url: str) -> SplitResult:
    """Split an address of which every part can be read, sent and quoted."""
    try:
        url.encode()
    except UnicodeEncodeError as error:
        raise LabelStudioError("its address holds half of a character (a lone surrogate)") from error
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError as error:
        raise LabelStudioError(f"its address cannot be read: {describe_error(error)}") from error
    return parts


def _normalise(path: str) -> str:
    """Decode a path fully and resolve `..` in it."""
    decoded = path
    while (next_decoded := unquote(decoded)) != decoded:
        decoded = next_decoded
    if "\\" in decoded or any(ord(c) < 32 for c in decoded):
        raise LabelStudioError("its path holds a backslash or a control character")
    normal = posixpath.normpath("/" + decoded.lstrip("/"))
    return normal + "/" if decoded.endswith("/") and normal != "/" else normal


def _get_origin(parts: SplitResult) -> tuple[str, str, int]:
    return (
        parts.scheme,
        (parts.hostname or "").lower(),
        parts.port or (443 if parts.scheme == "https" else 80),
    )
