"""Read the headers Host and Origin, and decide which hosts are answered.

A page of a foreign site reaches this server through a browser in two ways. It sends a request to the
server's address: the browser says so in Origin and Sec-Fetch-Site. Or it lets its own name lead to the
server's address (DNS rebinding): the browser then takes both for one site, but Host holds the foreign name.
An IP address as Host leads nowhere else, and a name without a dot belongs to nobody outside of the network.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ris.errors import SettingsError

EVERY_HOST = "*"
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{0,5}))?", re.IGNORECASE | re.ASCII)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)  # a name that ends so is an IPv4 address for browsers
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HostRules:
    """The hosts under which this server may be called.

    Attributes:
        names: hosts, as `parse_authority` returns them.
        has_every_host: whether every host is answered.
        is_loopback: whether the server listens on loopback alone. If not, it also answers to every IP address
            and to every name without a dot.
        own_url: this server's address as Label Studio reaches it; its pages may send requests.
    """

    names: frozenset[str] = frozenset({"localhost"})
    has_every_host: bool = False
    is_loopback: bool = True
    own_url: str = ""

    def is_allowed(self, host: str) -> bool:
        """Tell whether a host, as `parse_authority` returns it, is answered."""
        if self.has_every_host or host in self.names:
            return True
        try:
            return ipaddress.ip_address(host).is_loopback or not self.is_loopback
        except ValueError:
            return not self.is_loopback and "." not in host

    def is_own_origin(self, origin: str, host: str) -> bool:
        """Tell whether a header Origin names the site that a request is for.

        Args:
            origin: the header.
            host: the header Host of the same request.
        """
        try:
            scheme, *site = parse_origin(origin)
            name, port = parse_authority(host)
            if site == [name, _DEFAULT_PORTS[scheme] if port is None else port]:
                return True
            parts = urlsplit(self.own_url)
            return bool(parts.netloc) and parse_origin(f"{parts.scheme}://{parts.netloc}") == (scheme, *site)
        except ValueError:  # also of our own address, such as one with a zone
            return False


def make_host_rules(host: str, *, is_loopback: bool, own_url: str, allowed: Iterable[str]) -> HostRules:
    """Make the rules of a server.

    Args:
        host: on which it listens.
        is_loopback: whether that is loopback alone.
        own_url: its address as Label Studio reaches it.
        allowed: RIS_ALLOWED_HOSTS; `EVERY_HOST` allows every one.

    Raises:
        SettingsError: an entry of `allowed` is no host.
    """
    own, *listed = host, *allowed
    names = {"localhost"}
    for entry in listed:
        if entry != EVERY_HOST:
            names.add(_parse_allowed(entry))
    for text in (f"[{own}]" if ":" in own else own, urlsplit(own_url).netloc.rpartition("@")[2]):
        try:
            names.add(parse_authority(text)[0])
        except ValueError:  # an address that no header Host can hold, such as one with a zone
            continue
    return HostRules(frozenset(names), EVERY_HOST in listed, is_loopback, own_url)


def _parse_allowed(entry: str) -> str:
    try:
        name, port = parse_authority(f"[{entry}]" if entry.count(":") > 1 and "[" not in entry else entry)
    except ValueError:
        name, port = "", None
    if not name or port is not None:
        raise SettingsError(
            f"RIS_ALLOWED_HOSTS has {entry[:80]!r}, which is no host: write names and IP addresses without "
            "scheme, port and path, separated by commas, such as ris.example.org"
        )
    return name


def parse_authority(text: str) -> tuple[str, int | None]:
    """Parse "host" or "host:port", as the header Host has it.

    Returns:
        The host in lower case, without brackets and without a last dot, an IP address in its usual spelling;
        and the port, None without.

    Raises:
        ValueError: it is neither, or a host that programs read in several ways.
    """
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        raise ValueError("no host")
    host, port = found[1].lower().removesuffix("."), int(found[2]) if found[2] else None
    if port is not None and port > 65535:
        raise ValueError("no port")
    if host.startswith("["):
        address = ipaddress.IPv6Address(host[1:-1])
        return str(address.ipv4_mapped or address), port
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(ipaddress.IPv4Address(host)), port
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("no host name")
    return host, port


def parse_origin(text: str) -> tuple[str, str, int]:
    """Parse the header Origin to scheme, host and port.

    Raises:
        ValueError: it is no origin of http or https, "null" for example.
    """
    scheme, separator, authority = text.partition("://")
    if not separator or scheme not in _DEFAULT_PORTS:
        raise ValueError("no origin of http or https")
    host, port = parse_authority(authority)
    return scheme, host, _DEFAULT_PORTS[scheme] if port is None else port
