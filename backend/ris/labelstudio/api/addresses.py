"""Which address a task's image reference stands for, and whether images may come from there.

Anybody may have written a reference. With Label Studio's key only its own image paths are asked for
(`IMAGE_PATHS`), under the configured address. Under a sub-path Label Studio writes it into references
(`/label-studio/data/upload/4/a.png`): the sub-paths of the configured addresses are taken off once, and what
is left must be an image path.
"""

import base64
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from ris.errors import LabelStudioError

IMAGE_PATHS = re.compile(
    r"/(data/upload|data/local-files|storage-data)/|/(api/)?(tasks|projects)/\d+/(presign|resolve)/"
)
CLOUD_SCHEMES = ("s3", "gs", "azure-blob")


@dataclass(frozen=True, slots=True)
class ImageAddresses:
    """Where images may come from.

    Attributes:
        url: Label Studio's address, as this process reaches it.
        public_url: the same as browsers see it, where that is another: Label Studio writes it into the tasks
            of local files.
        image_hosts: other hosts, "host" or "host:port".
    """

    url: str
    public_url: str = ""
    image_hosts: tuple[str, ...] = ()

    def locate(self, reference: str, task_id: int) -> str:
        """The address behind a reference: a path of Label Studio, a URL, cloud storage.

        Raises:
            LabelStudioError: images may not come from there.
        """
        parts = _split(reference)
        if parts.scheme in CLOUD_SCHEMES:
            code = base64.urlsafe_b64encode(reference.encode()).decode()
            return f"{self.url}/tasks/{task_id}/presign/?fileuri={quote(code)}"
        if not parts.scheme and not parts.netloc:
            path = parts.path if reference.startswith("/") else "/data/" + parts.path
            return self._own(parts._replace(path=path), [*self._list_sub_paths(), ""])
        if parts.scheme in ("http", "https"):
            return self.check(reference)
        raise LabelStudioError(
            f"its reference starts with {parts.scheme[:20]!r}; "
            "it can be an upload or start with http(s), s3, gs, azure-blob or data"
        )

    def is_own(self, url: str) -> bool:
        """Whether an address is Label Studio's, which gets our key."""
        return _get_origin(_split(url)) == _get_origin(_split(self.url))

    def check(self, url: str) -> str:
        """An address, normalised, when it is one that images may come from.

        Raises:
            LabelStudioError: it is none.
        """
        parts = _split(url)
        if parts.scheme not in ("http", "https") or parts.username or parts.password:
            raise LabelStudioError("its address is no plain http(s) address")
        if self.is_own(url):
            return self._own(parts, [*self._list_sub_paths(), *([] if urlsplit(self.url).path else [""])])
        if self.public_url and _get_origin(parts) == _get_origin(_split(self.public_url)):
            return self._own(parts, [urlsplit(self.public_url).path, ""])
        host = parts.hostname or ""
        if parts.netloc.lower() not in self.image_hosts and host not in self.image_hosts:
            raise LabelStudioError(f"host {host[:80]!r} is not allowed; if meant, add it to RIS_IMAGE_HOSTS")
        return url

    def _list_sub_paths(self) -> list[str]:
        found = {urlsplit(url).path for url in (self.url, self.public_url)}
        return sorted(found - {""}, key=len, reverse=True)

    def _own(self, parts: SplitResult, sub_paths: Iterable[str]) -> str:
        """The address of an image path of Label Studio's, which may stand under one of some sub-paths."""
        path = _normalise(parts.path)
        for sub_path in sub_paths:
            inside = path.removeprefix(sub_path)
            if path.startswith(f"{sub_path}/") and IMAGE_PATHS.match(inside):
                return self.url + urlunsplit(("", "", quote(inside), parts.query, ""))
        hint = "; for a sub-path set RIS_LABEL_STUDIO_PUBLIC_URL" if IMAGE_PATHS.search(path) else ""
        raise LabelStudioError(f"{path[:80]!r} is no image path of Label Studio{hint}")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise LabelStudioError(f"its address cannot be read: {error}") from error
    return parts


def _normalise(path: str) -> str:
    """A path without `..`, however it was written."""
    seen = path
    while (plain := unquote(seen)) != seen:
        seen = plain
    if "\\" in seen or any(ord(c) < 32 for c in seen):
        raise LabelStudioError("its path has characters that no path has")
    normal = posixpath.normpath("/" + seen.lstrip("/"))
    return normal + "/" if seen.endswith("/") and normal != "/" else normal


def _get_origin(parts: SplitResult) -> tuple[str, str, int]:
    return (
        parts.scheme,
        (parts.hostname or "").lower(),
        parts.port or (443 if parts.scheme == "https" else 80),
    )
