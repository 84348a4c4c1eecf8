"""The images of Label Studio's tasks: the bytes behind a reference that anybody may have written.

Our key goes to the configured Label Studio's image paths alone, and nothing else is called with it. Other
hosts are asked only when they were allowed, without it, and never in a private network: that is looked at
once a connection stands, because a name may lead elsewhere from one question to the next.
"""

import base64
import binascii
import ipaddress
import socket
import time
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ris.errors import ImageUnreachable, LabelStudioError
from ris.labelstudio.api.addresses import ImageAddresses
from ris.labelstudio.api.certificates import find_bundle, to_connection_error
from ris.labelstudio.api.client import LabelStudioClient

_MAX_REDIRECTS = 4
_CHUNK_BYTES = 2**16


class ImageSource:
    """Where the images of tasks come from.

    Args:
        client: Label Studio, whose images are asked for with its key.
        image_hosts: other hosts, "host" or "host:port", that images may come from.
        max_bytes: of one image.
        timeout_s: for one image in all.
        public_url: Label Studio's address as browsers see it, where that is another: Label Studio writes it
            into the tasks of local files.
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
            return self._decode_data_uri(reference)
        deadline = time.monotonic() + self.timeout_s
        url = self.addresses.locate(reference, task_id)
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._open(url)
            with answer:
                if answer.is_redirect:
                    url = self.addresses.check(urljoin(url, answer.headers["Location"]))
                    continue
                if not answer.ok:
                    raise LabelStudioError(_explain_refusal(answer.status_code, self.addresses.is_own(url)))
                return self._read_content(answer, deadline)
        raise LabelStudioError(f"it was redirected more than {_MAX_REDIRECTS} times")

    def _open(self, url: str) -> requests.Response:
        session = requests.Session()
        is_own = self.addresses.is_own(url)
        headers = self.client.auth() if is_own else {}
        if not is_own and not _is_ip_address(urlsplit(url).hostname or ""):
            session.mount("http://", _PublicOnlyAdapter())
            session.mount("https://", _PublicOnlyAdapter())
        try:
            return session.get(
                url, headers=headers, stream=True, timeout=self.timeout_s, allow_redirects=False,
                verify=find_bundle(),
            )  # fmt: skip
        except (requests.RequestException, OSError) as error:
            raise to_connection_error(str(urlsplit(url).hostname), error) from error
        except ValueError as error:  # requests reads where a redirect leads, also when it is not to follow
            raise LabelStudioError(f"it was redirected to what is no address: {error}") from error

    def _read_content(self, answer: requests.Response, deadline: float) -> bytes:
        data = bytearray()
        try:
            # Whatever is there already: waiting for a full chunk would let a slow host keep us for hours.
            while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=True):
                data += chunk
                if len(data) > self.max_bytes:
                    raise LabelStudioError(_explain_too_large(self.max_bytes))
                if time.monotonic() > deadline:
                    raise LabelStudioError(f"it took longer than {self.timeout_s:g} s")
        except urllib3.exceptions.HTTPError as error:
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


def _is_ip_address(host: str) -> bool:
    """Whether a host was named as an address, and so is meant wherever it lies."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public_address(address: str) -> bool:
    """Whether an IP address, as sockets write it, lies in nobody's private network."""
    ip = ipaddress.ip_address(address.split("%")[0])
    embedded = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    return (embedded or ip).is_global and not ip.is_multicast


def _require_public(connection: socket.socket, host: str) -> socket.socket:
    """The connection, when it leads out of private networks: nothing has been sent over it yet."""
    address = str(connection.getpeername()[0])
    if is_public_address(address):
        return connection
    connection.close()
    raise LabelStudioError(
        f"host {host[:80]!r} lies in a private network ({address}); "
        "if meant, name it in RIS_IMAGE_HOSTS and in tasks by its address"
    )


class _PublicHttpConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _require_public(super()._new_conn(), self.host)


class _PublicHttpsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _require_public(super()._new_conn(), self.host)


class _PublicHttpPool(HTTPConnectionPool):
    ConnectionCls = _PublicHttpConnection


class _PublicHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHttpsConnection


class _PublicOnlyAdapter(requests.adapters.HTTPAdapter):
    """Connects to no private network. Through a proxy of the environment it is the proxy that decides."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHttpPool, "https": _PublicHttpsPool}


def _explain_refusal(status: int, is_ours: bool) -> str:
    if status in (401, 403) and is_ours:
        return f"Label Studio answered {status}; check RIS_LABEL_STUDIO_API_KEY"
    who = "Label Studio" if is_ours else "its host"
    return f"{who} answered {status}" + ("; the file is not there" if status == 404 else "")


def _explain_too_large(max_bytes: int) -> str:
    return f"it has more than {max_bytes / 2**20:.0f} MiB; set RIS_MAX_IMAGE_BYTES if that is meant"
