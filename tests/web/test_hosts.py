"""Which hosts are answered, and which sites may send requests."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.errors import SettingsError
from ris.web.hosts import HostRules, make_host_rules, parse_authority, parse_origin

LOOPBACK = make_host_rules("127.0.0.1", is_loopback=True, own_url="http://127.0.0.1:9090", allowed=())
OPEN = make_host_rules("0.0.0.0", is_loopback=False, own_url="https://ris.example.org/ris", allowed=())


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost", "localhost", None), ("LocalHost:9090", "localhost", 9090),
        ("localhost.", "localhost", None),
        ("localhost:", "localhost", None), ("ris.Example.ORG.:443", "ris.example.org", 443),
        ("127.0.0.1:1", "127.0.0.1", 1), ("[::1]:9090", "::1", 9090), ("[0:0:0:0:0:0:0:1]", "::1", None),
        ("[::ffff:127.0.0.1]", "127.0.0.1", None), ("ml_backend:9090", "ml_backend", 9090),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
    ],
)  # fmt: skip
def test_a_host_is_read_in_one_spelling(text, host, port):
    assert parse_authority(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ".", "localhost..", "a..b", "-a", "a-", "localhost:9090@evil.example", "user@localhost",
        "a,b",
        "localhost, evil.example", "localhost/evil", "localhost#", "localhost\t", "localhost\n",
        "localhost:x",
        "localhost:65536", "localhost:-1", "localhost:٣", "::1", "[::1", "[::1%25lo]", "[localhost]",
        "127.1",
        "0177.0.0.1", "0x7f.0.0.1", "2130706433", "127.0.0.1.5", "evil.1", "evil.0x1", "bücher.example",
        "a" * 64,
        f"{'a.' * 127}a", "http://localhost", "*", "localho\u017ft", "localhost\x00",
    ],
)  # fmt: skip
def test_what_programs_read_in_several_ways_is_no_host(text):
    with pytest.raises(ValueError):
        parse_authority(text)


@given(st.text(max_size=40) | st.text("localhost127.0:[]@/,-x ", max_size=20))
def test_any_text_is_a_host_of_plain_characters_or_refused(text):
    try:
        host, port = parse_authority(text)
    except ValueError:
        return
    again = f"[{host}]" if ":" in host else host
    assert parse_authority(again) == (host, None)
    assert port is None or 0 <= port <= 65535
    assert host == host.lower()
    assert not set(host) & set("@/,[] \t\\")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_a_server_on_loopback_answers_to_loopback(host):
    assert LOOPBACK.is_allowed(host)
    assert OPEN.is_allowed(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "10.0.0.5",
        "0.0.0.0",
        "::",
        "backend",
        "2001:db8::1",
    ],
)
def test_a_server_on_loopback_answers_to_nothing_else(host):
    assert not LOOPBACK.is_allowed(host)


def test_a_server_for_other_machines_answers_to_addresses_plain_names_and_its_own_name():
    for host in ("10.0.0.5", "2001:db8::1", "backend", "ml_backend", "ris.example.org"):
        assert OPEN.is_allowed(host)
    for host in ("evil.example", "ris.example.org.evil.example", "backend.default.svc"):
        assert not OPEN.is_allowed(host)


@given(st.from_regex(r"[a-z][a-z0-9]{0,8}\.[a-z]{2,5}", fullmatch=True))
def test_no_foreign_name_is_answered(name):
    assert not LOOPBACK.is_allowed(name)
    assert not OPEN.is_allowed(name)


def test_hosts_can_be_added_and_a_star_adds_all():
    rules = make_host_rules(
        "::1", is_loopback=True, own_url="http://[::1]:9090",
        allowed=("Labels.example.org.", "10.0.0.9", "fd00::1"),
    )  # fmt: skip

    assert rules.names == {"localhost", "::1", "labels.example.org", "10.0.0.9", "fd00::1"}
    assert make_host_rules("::1", is_loopback=True, own_url="", allowed=("*",)).is_allowed("evil.example")


@pytest.mark.parametrize("entry", ["https://a.b", "a.b:443", "a.b/c", "*.a.b", "a b", "me@a.b", "127.1"])
def test_what_is_no_host_names_the_setting(entry):
    with pytest.raises(SettingsError, match="RIS_ALLOWED_HOSTS has .* which is no host"):
        make_host_rules("::1", is_loopback=True, own_url="", allowed=(entry,))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:9090", "localhost:9090"), ("http://LOCALHOST:9090", "localhost.:9090"),
        ("https://a.example", "a.example"), ("https://a.example:443", "a.example"),
        ("http://a.example", "a.example:80"),
        ("http://[::1]:9090", "[0::1]:9090"), ("https://ris.example.org", "backend:9090"),
    ],
)  # fmt: skip
def test_own_pages_may_send_requests(origin, host):
    assert OPEN.is_own_origin(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        "null", "", "http://evil.example", "http://localhost", "http://localhost:8080",
        "http://127.0.0.1:9090",
        "https://localhost", "http://localhost:9090/", "http://localhost:9090@evil.example", "file://",
        "http://localhost:9090 http://evil.example", "http://localhost:9090.evil.example", "localhost:9090",
        "chrome-extension://abc", "//localhost:9090", "http://http://localhost:9090",
        "http://ris.example.org",
    ],
)  # fmt: skip
def test_other_sites_and_other_ports_may_not(origin):
    assert not OPEN.is_own_origin(origin, "localhost:9090")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_origin_is_compared_or_refused(origin, host):
    assert HostRules().is_own_origin(origin, host) in (True, False)


@given(st.ip_addresses())
def test_every_address_is_read(address):
    text = f"[{address}]" if address.version == 6 else str(address)
    mapped = getattr(address, "ipv4_mapped", None)
    assert ipaddress.ip_address(parse_authority(text)[0]) == (mapped or address)
    assert parse_origin(f"https://{text}")[2] == 443


@given(
    st.text() | st.text().map(lambda text: f"http://{text}"),
    st.sampled_from(["https://evil.example", "null"]),
)
def test_whatever_our_own_address_is_a_foreign_origin_is_foreign(own_url, origin):
    rules = HostRules(frozenset({"localhost"}), False, True, own_url)

    if own_url != origin:
        assert not rules.is_own_origin(origin, "localhost:9090")
