"""HTTP clients for Label Studio and for other hosts of images: certificates, proxies, private networks."""

import ipaddress
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from ris.errors import LabelStudioError
from ris.labelstudio.api.certificates import make_tls_context


def open_client(url: httpx.URL, *, timeout_s: float, public_only: bool = False) -> httpx.Client:
    """Make a client for one address. Close it.

    Args:
        url: the address; the proxy depends on it.
        timeout_s: for connecting, and for each read and write.
        public_only: refuse to connect to a private network. If the environment names a proxy for the address,
            the proxy decides that.

    Raises:
        LabelStudioError: the certificates or the proxy that the environment names cannot be used.
    """
    tls, proxy = make_tls_context(), find_proxy(url)
    if public_only and proxy is None:
        transport: httpx.HTTPTransport = _PublicOnlyTransport(tls)
    else:
        try:
            transport = httpx.HTTPTransport(verify=tls, proxy=proxy)
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise LabelStudioError(
                f"the proxy that the environment names for {url.scheme}:// cannot be used: {error}"
            ) from error
    return httpx.Client(transport=transport, timeout=timeout_s, trust_env=False)


def find_proxy(url: httpx.URL) -> str | None:
    """Find the proxy that the environment names for an address; None connects directly.

    `NO_PROXY` may hold names, "name:port", addresses, and networks such as 10.0.0.0/8. httpx's own lookup
    does not know networks.
    """
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or any(proxy_bypass(name) for name in (url.host, url.netloc.decode())):
        return None
    if _is_in_network(url.host, proxies.get("no", "").split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_in_network(host: str, networks: Iterable[str]) -> bool:
    for network in networks:
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(network.strip(), strict=False):
                return True
        except ValueError:  # a name
            continue
    return False


def is_public_address(address: str) -> bool:
    """Tell whether an IP address, as sockets write it, is globally reachable and not multicast.

    An IPv4 address inside of an IPv6 address (mapped, 6to4) counts as itself.
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    embedded = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    return (embedded or ip).is_global and not ip.is_multicast


class _PublicOnlyBackend(httpcore.SyncBackend):
    """Opens connections to public addresses only.

    It checks the address of the open connection, before anything is sent: a name may resolve to another
    address each time (DNS rebinding).
    """

    def connect_tcp(self, host: str, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        stream = super().connect_tcp(host, *args, **kwargs)
        address = str(stream.get_extra_info("server_addr")[0])
        if is_public_address(address):
            return stream
        stream.close()
        raise LabelStudioError(
            f"host {host[:80]!r} lies in a private network ({address}); "
            "if meant, name it in RIS_IMAGE_HOSTS and in tasks by its address"
        )


class _PublicOnlyTransport(httpx.HTTPTransport):
    """httpx's transport over `_PublicOnlyBackend`."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        # httpx has no argument for the backend. Its own __init__ is not called: should httpx rename its pool,
        # the transport fails with an AttributeError and does not connect unchecked.
        self._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=_PublicOnlyBackend())
