"""Label Studio over HTTP, with our own key: its API, and the images of its tasks.

The key goes to the configured Label Studio alone, and for images to its image paths alone: whoever
writes a task's image reference must not make us call anything else with it.
"""

import base64
import binascii
import ipaddress
import posixpath
import re
import socket
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

import requests

from backend.errors import ImageUnreachable, LabelStudioError

IMAGE_PATHS = re.compile(
    r"/(data/upload|data/local-files|storage-data)/|/(api/)?tasks/\d+/(presign|resolve)/"
)
CLOUD_SCHEMES = ("s3", "gs", "azure-blob")
MOST_REDIRECTS = 4
CHUNK_BYTES = 2**16


class LabelStudioClient:
    """One Label Studio, as one user.

    Args:
        url: its address, as this process reaches it.
        api_key: a personal access token or a legacy token; None reads public images only.
        image_hosts: other hosts, "host" or "host:port", that images may come from.
        max_bytes: of one image.
        timeout_s: for one image in all, and for one call.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        *,
        image_hosts: tuple[str, ...] = (),
        max_bytes: int = 64 * 2**20,
        timeout_s: float = 30.0,
    ) -> None:
        self.url = url.rstrip("/")
        self.image_hosts, self.max_bytes, self.timeout_s = image_hosts, max_bytes, timeout_s
        self._key = api_key
        self._sdk: Any = None

    def __repr__(self) -> str:
        return f"LabelStudioClient({self.url!r})"

    # --- its API

    def call(self, method: str, path: str, body: object = None, **params: Any) -> Any:
        """One call of its API; the answer's JSON, None when it has none.

        Raises:
            LabelStudioError: it did not answer, or refused; the message has its own words.
        """
        try:
            answer = requests.request(
                method,
                self.url + path,
                json=body,
                params=params,
                headers=self._auth(),
                timeout=self.timeout_s,
            )
        except requests.RequestException as error:
            raise LabelStudioError(
                f"Label Studio at {self.url} does not answer: {type(error).__name__}"
            ) from error
        return self._checked(answer, f"{method} {path}")

    def clock(self) -> datetime | None:
        """What time its server says that it is; None when it does not say.

        Raises:
            LabelStudioError: it did not answer.
        """
        try:
            answer = requests.get(f"{self.url}/health", timeout=self.timeout_s)
        except requests.RequestException as error:
            raise LabelStudioError(
                f"Label Studio at {self.url} does not answer: {type(error).__name__}"
            ) from error
        try:
            return parsedate_to_datetime(answer.headers.get("Date", ""))
        except (TypeError, ValueError):
            return None

    def exists(self, path: str) -> bool:
        """Whether there is something at a path of its API.

        Raises:
            LabelStudioError: it did not answer, or refused for another reason than that it has no such thing.
        """
        try:
            answer = requests.get(self.url + path, headers=self._auth(), timeout=self.timeout_s)
        except requests.RequestException as error:
            raise LabelStudioError(
                f"Label Studio at {self.url} does not answer: {type(error).__name__}"
            ) from error
        if answer.status_code == 404:
            return False
        self._checked(answer, f"GET {path}")
        return True

    def upload(self, project: int, name: str, data: bytes) -> str:
        """Store a picture in a project; the reference that a task can use.

        A project whose label config shows two things, such as an image and an expression, answers 400 and
        keeps the file all the same: then it is found among the project's files.

        Raises:
            LabelStudioError: it refused.
        """
        path = f"/api/projects/{project}/import"
        answer = requests.post(
            self.url + path,
            files={"file": (name, data)},
            params={"commit_to_project": "false"},
            headers=self._auth(),
            timeout=self.timeout_s,
        )
        if answer.status_code == 400:
            kept = self.call("GET", f"/api/projects/{project}/file-uploads", all="true")
            own = [one for one in kept or () if str(one.get("file", "")).endswith(f"-{name}")]
            if own:
                return f"/data/{max(own, key=lambda one: int(one['id']))['file']}"
        ids = (self._checked(answer, f"POST {path}") or {}).get("file_upload_ids") or []
        if len(ids) != 1:
            raise LabelStudioError(f"Label Studio kept {len(ids)} files of one upload of {name}")
        stored = self.call("GET", f"/api/import/file-upload/{ids[0]}")
        return f"/data/{stored['file']}"

    def _checked(self, answer: requests.Response, what: str) -> Any:
        if answer.status_code in (401, 403):
            raise LabelStudioError(
                f"Label Studio answered {answer.status_code} to {what}; check RIS_LABEL_STUDIO_API_KEY: "
                f"{answer.text[:200]}"
            )
        if not answer.ok:
            raise LabelStudioError(
                f"Label Studio answered {answer.status_code} to {what}: {answer.text[:300]}"
            )
        return answer.json() if answer.content else None

    def _auth(self) -> dict[str, str]:
        """The header that says who we are; a personal access token is exchanged and renewed."""
        if not self._key:
            return {}
        # Here, because importing the SDK takes half a second and /health must not wait for it.
        from label_studio_sdk import LabelStudio
        from label_studio_sdk.core.api_error import ApiError

        try:
            if self._sdk is None:
                self._sdk = LabelStudio(base_url=self.url, api_key=self._key)
            headers = self._sdk._client_wrapper.get_headers()
        except ApiError as error:
            raise LabelStudioError(
                f"Label Studio does not take RIS_LABEL_STUDIO_API_KEY ({error.status_code}): make a new one"
            ) from error
        except Exception as error:  # httpx errors and whatever a wrong server answers
            raise LabelStudioError(
                f"no access token could be had from Label Studio at {self.url}: {type(error).__name__}"
            ) from error
        return {"Authorization": headers["Authorization"]}

    # --- images

    def fetch_image(self, reference: str, task_id: int) -> bytes:
        """The bytes behind a task's image reference.

        Args:
            reference: as the task's author wrote it: a path of Label Studio, a URL, cloud storage, `data:`.

        Raises:
            ImageUnreachable: not allowed, not there, too large or too slow; one sentence with the task's id.
        """
        try:
            return self._fetch(reference.strip(), task_id)
        except LabelStudioError as error:
            raise ImageUnreachable(f"cannot fetch the image of task {task_id}: {error}") from error

    def _fetch(self, reference: str, task_id: int) -> bytes:
        if reference.startswith("data:"):
            return self._inline(reference)
        deadline = time.monotonic() + self.timeout_s
        url = self._located(reference, task_id)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._opened(url)
            with answer:
                if answer.is_redirect:
                    url = self._allowed(urljoin(url, answer.headers["Location"]))
                    continue
                if not answer.ok:
                    raise LabelStudioError(_refusal(answer.status_code, self._is_ours(url)))
                return self._read(answer, deadline)
        raise LabelStudioError(f"it was redirected more than {MOST_REDIRECTS} times")

    def _located(self, reference: str, task_id: int) -> str:
        parts = urlsplit(reference)
        if parts.scheme in CLOUD_SCHEMES:
            code = base64.urlsafe_b64encode(reference.encode()).decode()
            return f"{self.url}/tasks/{task_id}/presign/?fileuri={quote(code)}"
        if not parts.scheme and not parts.netloc:
            path = reference if reference.startswith("/") else "/data/" + reference
            return self._allowed(self.url + path)
        if parts.scheme in ("http", "https"):
            return self._allowed(reference)
        raise LabelStudioError(
            f"its reference starts with {parts.scheme[:20]!r}; "
            "it can be an upload or start with http(s), s3, gs, azure-blob or data"
        )

    def _is_ours(self, url: str) -> bool:
        return _origin(url) == _origin(self.url)

    def _allowed(self, url: str) -> str:
        """The address, normalised, when it is one that images may come from."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.username or parts.password:
            raise LabelStudioError("its address is no plain http(s) address")
        if self._is_ours(url):
            base = urlsplit(self.url).path
            path = _normal(parts.path)
            if not path.startswith(base) or not IMAGE_PATHS.match(path[len(base) :]):
                raise LabelStudioError(f"{path[:80]!r} is no image path of Label Studio")
            return urlunsplit(parts._replace(path=quote(path), fragment=""))
        if parts.netloc.lower() not in self.image_hosts and (parts.hostname or "") not in self.image_hosts:
            raise LabelStudioError(
                f"host {(parts.hostname or '')[:80]!r} is not allowed; if meant, add it to RIS_IMAGE_HOSTS"
            )
        _check_address(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        return url

    def _opened(self, url: str) -> requests.Response:
        headers = self._auth() if self._is_ours(url) else {}
        try:
            return requests.get(
                url, headers=headers, stream=True, timeout=self.timeout_s, allow_redirects=False
            )
        except requests.RequestException as error:
            raise LabelStudioError(
                f"{urlsplit(url).hostname} does not answer: {type(error).__name__}"
            ) from error

    def _read(self, answer: requests.Response, deadline: float) -> bytes:
        data = bytearray()
        try:
            for chunk in answer.iter_content(CHUNK_BYTES):
                data += chunk
                if len(data) > self.max_bytes:
                    raise LabelStudioError(_too_large(self.max_bytes))
                if time.monotonic() > deadline:
                    raise LabelStudioError(f"it took longer than {self.timeout_s:g} s")
        except requests.RequestException as error:
            raise LabelStudioError(f"the connection broke after {len(data)} bytes") from error
        return bytes(data)

    def _inline(self, reference: str) -> bytes:
        head, _, payload = reference.partition(",")
        if not head.endswith(";base64"):
            raise LabelStudioError("its data: URI is not base64")
        if len(payload) * 3 // 4 > self.max_bytes:
            raise LabelStudioError(_too_large(self.max_bytes))
        try:
            return base64.b64decode(unquote(payload), validate=True)
        except (binascii.Error, ValueError) as error:
            raise LabelStudioError("its data: URI is not base64") from error


def _normal(path: str) -> str:
    """A path without `..`, however it was written."""
    seen = path
    while (plain := unquote(seen)) != seen:
        seen = plain
    if "\\" in seen or any(ord(c) < 32 for c in seen):
        raise LabelStudioError("its path has characters that no path has")
    normal = posixpath.normpath("/" + seen.lstrip("/"))
    return normal + "/" if seen.endswith("/") and normal != "/" else normal


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return (
        parts.scheme,
        (parts.hostname or "").lower(),
        parts.port or (443 if parts.scheme == "https" else 80),
    )


def _check_address(host: str, port: int) -> None:
    """A host that was allowed by name must not lead into a private network; one named as an address may."""
    try:
        ipaddress.ip_address(host)
        return
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise LabelStudioError(f"host {host[:80]!r} is not known") from error
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).split("%")[0])
        if not (getattr(ip, "ipv4_mapped", None) or ip).is_global:
            raise LabelStudioError(f"host {host[:80]!r} lies in a private network ({ip})")


def _refusal(status: int, is_ours: bool) -> str:
    if status in (401, 403) and is_ours:
        return f"Label Studio answered {status}; check RIS_LABEL_STUDIO_API_KEY"
    who = "Label Studio" if is_ours else "its host"
    return f"{who} answered {status}" + ("; the file is not there" if status == 404 else "")


def _too_large(max_bytes: int) -> str:
    return f"it has more than {max_bytes / 2**20:.0f} MiB; set RIS_MAX_IMAGE_BYTES if that is meant"
