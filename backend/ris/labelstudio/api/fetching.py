"""Fetch the images of tasks. Anybody may have written a reference, so each address is checked first.

Our key is sent to image paths of the configured Label Studio only. Other hosts are called without it, only if
RIS_IMAGE_HOSTS allows them, and not in a private network (`transport`) unless the address itself was allowed.
"""

import base64
import binascii
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from ris.errors import ImageUnreachable, LabelStudioError
from ris.labelstudio.api.addresses import ImageAddresses
from ris.labelstudio.api.certificates import to_connection_error
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.deadline import Deadline
from ris.labelstudio.api.transport import open_client
from ris.redaction.messages import describe_error

_MAX_REDIRECTS = 4
_ENCODINGS = ("", "identity", "gzip", "deflate")  # others unpack a small chunk into any number of bytes


class ImageSource:
    """Fetches the images of tasks.

    Args:
        client: the Label Studio whose images are fetched with its key.
        image_hosts: other hosts that images may come from, each "host" or "host:port".
        max_bytes: limit for one image, unpacked.
        timeout_s: limit for one image, from looking up the name to the last byte, redirects included.
        public_url: Label Studio's address as browsers see it, if it differs: Label Studio writes it into the
            tasks of local files.
    """

    def __init__(
        self,
        client: LabelStudioClient,
        *,
        image_hosts: tuple[str, ...] = (),
        max_bytes: int = 64 * 2**20,
        timeout_s: float = 30.0,
        public_url: str = "",
    ) -> None:
        self.client = client
        self.addresses = ImageAddresses(client.url, public_url.rstrip("/"), image_hosts)
        self.max_bytes, self.timeout_s = max_bytes, timeout_s

    def fetch(self, reference: str, task_id: int) -> bytes:
        """Fetch the bytes behind a task's image reference.

        Args:
            reference: as the task's author wrote it: a path of Label Studio, a URL, cloud storage, `data:`.
            task_id: of the task.

        Raises:
            ImageUnreachable: the image is not allowed, missing, too large or too slow; the message names the
                task.
        """
        try:
            return self._fetch(reference.strip(), task_id)
        except LabelStudioError as error:
            raise ImageUnreachable(f"cannot fetch the image of task {task_id}: {error}") from error

    def _fetch(self, reference: str, task_id: int) -> bytes:
        if reference.startswith("data:"):
            return self._decode_data_uri(reference)
        deadline = Deadline.from_now(self.timeout_s)
        url = self.addresses.locate(reference, task_id)
        for _ in range(_MAX_REDIRECTS + 1):
            with self._open(url, deadline) as response:
                if response.has_redirect_location:
                    url = self.addresses.check(_join(url, response.headers["Location"]))
                    continue
                if not response.is_success:
                    raise LabelStudioError(_explain_status(response.status_code, self.addresses.is_own(url)))
                return self._read_content(response)
        raise LabelStudioError(f"it was redirected more than {_MAX_REDIRECTS} times")

    @contextmanager
    def _open(self, url: str, deadline: Deadline) -> Iterator[httpx.Response]:
        is_own, target, host = self.addresses.is_own(url), _parse_url(url), urlsplit(url).hostname or ""
        headers = {"Accept-Encoding": "gzip", **(self.client.auth() if is_own else {})}
        public_only = not is_own and not _is_ip_address(host)
        with open_client(
            target, timeout_s=self.timeout_s, public_only=public_only, deadline=deadline
        ) as http:
            try:
                response = http.send(http.build_request("GET", target, headers=headers), stream=True)
            except httpx.RemoteProtocolError as error:
                raise LabelStudioError(
                    f"host {host[:80]!r} gave no valid response: {describe_error(error)}"
                ) from error
            except httpx.InvalidURL as error:  # of a redirect, which httpx reads before we do
                raise LabelStudioError(
                    f"it was redirected to what is no address: {describe_error(error)}"
                ) from error
            except (httpx.HTTPError, UnicodeError) as error:  # UnicodeError: a name that DNS cannot hold
                raise to_connection_error(host, error) from error
            try:
                yield response
            finally:
                response.close()

    def _read_content(self, response: httpx.Response) -> bytes:
        encoding = response.headers.get("Content-Encoding", "").lower()
        if encoding not in _ENCODINGS:
            raise LabelStudioError(f"its host packed it as {encoding[:20]!r}, and only gzip can be unpacked")
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and len(declared) < 20 and int(declared) > self.max_bytes:
            raise LabelStudioError(_explain_too_large(self.max_bytes))
        data = bytearray()
        try:
            # No chunk size: waiting for a full chunk would let a slow host hold us for hours.
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > self.max_bytes:
                    raise LabelStudioError(_explain_too_large(self.max_bytes))
        except httpx.HTTPError as error:
            raise LabelStudioError(f"the connection broke after {len(data)} bytes") from error
        return bytes(data)

    def _decode_data_uri(self, reference: str) -> bytes:
        head, _, payload = reference.partition(",")
        if not head.endswith(";base64"):
            raise LabelStudioError("its data: URI is not base64")
        if len(payload) * 3 // 4 > self.max_bytes:
            raise LabelStudioError(_explain_too_large(self.max_bytes))
        try:
            return base64.b64decode(unquote(payload), validate=True)
        except (binascii.Error, ValueError) as error:
            raise LabelStudioError("its data: URI is not base64") from error


def _parse_url(url: str) -> httpx.URL:
    """Parse an address that `addresses` allowed; refuse one in which httpx finds another host."""
    try:
        parsed = httpx.URL(url)
        hosts = parsed.host, parsed.raw_host.decode()
    except (httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: of a name that looks like punycode
        raise LabelStudioError(f"its address cannot be read: {describe_error(error)}") from error
    if urlsplit(url).hostname not in hosts:
        raise LabelStudioError("its address cannot be read: it does not name one host clearly")
    return parsed


def _join(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise LabelStudioError(f"it was redirected to what is no address: {describe_error(error)}") from error


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _explain_status(status: int, is_own: bool) -> str:
    if status in (401, 403) and is_own:
        return f"Label Studio answered {status}; check RIS_LABEL_STUDIO_API_KEY"
    who = "Label Studio" if is_own else "its host"
    return f"{who} answered {status}" + ("; the file is not there" if status == 404 else "")


def _explain_too_large(max_bytes: int) -> str:
    return f"it has more than {max_bytes / 2**20:.0f} MiB; set RIS_MAX_IMAGE_BYTES if that is meant"
