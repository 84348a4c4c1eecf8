"""HTTP clients: certificates and proxies of the environment, and no connection to private networks."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import trustme

from ris.errors import ImageUnreachable, LabelStudioError
from ris.labelstudio.api import transport
from ris.labelstudio.api.certificates import BUNDLE_VARIABLES
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.fetching import ImageSource
from ris.labelstudio.api.transport import find_proxy, is_public_address, open_client
from tests.labelstudio.studio import LEGACY, PNG, FakeStudio

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in (*PROXY_VARIABLES, *map(str.upper, PROXY_VARIABLES), *BUNDLE_VARIABLES):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
    ],
)
def test_private_loopback_link_local_and_mapped_addresses_are_not_public(address, public):
    assert is_public_address(address) is public


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxy"),
    [
        ("http://labels.example.com", "", "http://proxy:3128"),
        ("https://labels.example.com", "", "http://secure:3128"),
        ("http://labels.example.com", "example.com", None),
        ("http://labels.example.com", ".example.com", None),
        ("http://labels.example.com:8080", "labels.example.com:8080", None),
        ("http://labels.example.com:8081", "labels.example.com:8080", "http://proxy:3128"),
        ("http://10.1.2.3:8080", "localhost, 10.0.0.0/8", None),
        ("http://11.1.2.3:8080", "localhost,10.0.0.0/8", "http://proxy:3128"),
        ("http://10.1.2.3", "10.1.2.3", None),
        ("http://[fd00::7]:8080", "fd00::/8", None),
        ("http://labels.example.com", "*", None),
    ],
)
def test_the_proxy_of_the_environment_is_used_except_where_it_says_not_to(monkeypatch, url, no_proxy, proxy):
    monkeypatch.setenv("http_proxy", "proxy:3128")
    monkeypatch.setenv("https_proxy", "http://secure:3128")
    monkeypatch.setenv("no_proxy", no_proxy)

    assert find_proxy(httpx.URL(url)) == proxy


def test_without_a_proxy_in_the_environment_there_is_none():
    assert find_proxy(httpx.URL("http://labels.example.com")) is None


class Proxy(ThreadingHTTPServer):
    """A proxy in a private network that answers every request itself; `asked` lists the requests."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.asked = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class ProxyHandler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(200)
        self.send_header("Content-Length", str(len(PNG)))
        self.end_headers()
        self.wfile.write(PNG)


@pytest.fixture
def proxy():
    proxy = Proxy()
    yield proxy
    proxy.shutdown()
    proxy.server_close()


def test_a_proxy_in_a_private_network_is_used_and_decides_itself(proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
    source = ImageSource(LabelStudioClient("http://ls:8080", LEGACY), image_hosts=("cdn.example.com",))

    assert source.fetch("http://cdn.example.com/a.png", 17) == PNG
    assert source.fetch("/data/upload/1/a.png", 17) == PNG
    assert proxy.asked == [
        ("http://cdn.example.com/a.png", None),
        ("http://ls:8080/data/upload/1/a.png", f"Token {LEGACY}"),
    ]


def test_a_host_that_needs_no_proxy_is_checked_even_where_there_is_one(proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("no_proxy", "localhost")
    source = ImageSource(LabelStudioClient("http://ls:8080", LEGACY), image_hosts=("localhost",))

    with pytest.raises(ImageUnreachable, match="host 'localhost' lies in a private network"):
        source.fetch(f"http://localhost:{proxy.server_port}/a.png", 17)
    assert proxy.asked == []


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "gopher://127.0.0.1", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_one_sentence(monkeypatch, proxy):
    monkeypatch.setenv("all_proxy", proxy)

    with pytest.raises(LabelStudioError, match="the proxy that the environment names for http:// cannot be"):
        open_client(httpx.URL("http://ls:8080"), timeout_s=1)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.mark.parametrize(
    ("certified", "message"),
    [("localhost", None), ("cdn.example.com", "its certificate is of another host")],
)
def test_over_checked_connections_the_certificate_is_that_of_the_name(
    authority, tmp_path, monkeypatch, certified, message
):
    """A test cannot reach a public address, so 127.0.0.1 counts as public here."""
    monkeypatch.setattr(transport, "is_public_address", lambda address: address == "127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(certified).configure_cert(tls)
    host = FakeStudio(allowed=[None], tls=tls)
    source = ImageSource(LabelStudioClient("http://ls:8080", LEGACY), image_hosts=("localhost",))

    if message is None:
        assert source.fetch(f"{host.url}/a.png", 17) == PNG
        assert host.asked == [("/a.png", None)]
    else:
        with pytest.raises(ImageUnreachable, match=message):
            source.fetch(f"{host.url}/a.png", 17)
        assert host.asked == []
    host.shutdown()
    host.server_close()


def test_a_name_that_resolves_to_another_address_the_second_time_is_refused(monkeypatch):
    """DNS rebinding: each open connection is checked, so an earlier resolution of the name does not count."""
    host = FakeStudio(allowed=[None])
    peers = iter(["93.184.216.34", "127.0.0.1"])
    monkeypatch.setattr(transport, "is_public_address", lambda _: is_public_address(next(peers)))
    source = ImageSource(LabelStudioClient("http://ls:8080", LEGACY), image_hosts=("localhost",))
    url = host.url.replace("127.0.0.1", "localhost")

    assert source.fetch(f"{url}/a.png", 17) == PNG
    with pytest.raises(ImageUnreachable, match="host 'localhost' lies in a private network"):
        source.fetch(f"{url}/a.png", 17)
    host.shutdown()
    host.server_close()
