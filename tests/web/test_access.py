"""The checks before every request, in their order."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ris.web.app import create_app
from ris.web.hosts import make_host_rules

LOGIN = {"Authorization": "Basic " + base64.b64encode(b"ris:pass:word").decode()}
EVENT = {"action": "X"}
ROUTES = ("/setup", "/predict", "/webhook")
FOREIGN = [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "http://localhost:8080"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "odd"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://evil.example", "X-Forwarded-Host": "evil.example"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
]  # fmt: skip


@pytest.fixture
def guarded(backend):
    return create_app(backend, basic_auth=("ris", "pass:word")).test_client()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_sends_nothing(client, guarded, route, headers):
    for asked in (client, guarded):
        answer = asked.post(route, json=EVENT, headers=LOGIN | headers)

        assert answer.status_code == 403
        assert "may not send requests" in answer.json["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Origin": "http://localhost"}, {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"}, {"Host": "127.0.0.1:9090", "Origin": "http://127.0.0.1:9090"},
    ],
)  # fmt: skip
def test_programs_and_own_pages_are_answered(client, headers):
    assert client.post("/webhook", json=EVENT, headers=headers).status_code in (200, 201)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403), ("evil.example:9090", 403), ("10.0.0.5", 403), ("user@localhost", 400),
        ("a,b", 400),
        ("localhost.evil.example", 403), ("127.1", 400), ("::1", 400), ("localhost:x", 400), (" ", 400),
    ],
)  # fmt: skip
def test_a_foreign_or_odd_host_is_refused(client, method, host, status):
    answer = getattr(client, method)("/webhook" if method == "post" else "/versions", headers={"Host": host})

    assert answer.status_code == status
    assert "Host" in answer.json["error"] or "RIS_ALLOWED_HOSTS" in answer.json["error"]


def test_what_a_proxy_says_of_the_host_counts_for_nothing(client):
    forwarded = {"X-Forwarded-Host": "localhost", "Forwarded": "host=localhost", "Host": "evil.example"}

    assert client.get("/versions", headers=forwarded).status_code == 403
    assert client.get("/versions", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200


def test_a_request_without_a_host_is_refused(client):
    assert client.get("/versions", environ_overrides={"HTTP_HOST": ""}).status_code == 400


def test_an_allowed_host_is_answered(backend):
    rules = make_host_rules(
        "127.0.0.1", is_loopback=True, own_url="http://127.0.0.1:9090", allowed=("labels.example.org",)
    )
    client = create_app(backend, hosts=rules).test_client()

    assert client.get("/versions", headers={"Host": "Labels.example.org:443"}).status_code == 200
    assert client.get("/versions", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("host", ["10.1.2.3:9090", "evil.example", "", "a,b"])
def test_health_answers_probes_by_any_host_and_without_a_password(guarded, host):
    assert guarded.get("/health", headers={"Host": host}).status_code == 200


def test_the_password_is_asked_for_first(guarded):
    for headers in ({"Host": "evil.example"}, {"Origin": "null"}, {"Content-Type": "text/plain"}):
        assert guarded.post("/webhook", data="{}", headers=headers).status_code == 401


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "kind",
    [
        "text/plain", "text/plain; x=application/json", "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json, text/plain", "application/xml", "application/jsonx", "json", "",
    ],
)  # fmt: skip
def test_a_body_must_say_that_it_is_json(client, route, kind):
    answer = client.post(route, data="{}", headers={"Content-Type": kind})

    assert answer.status_code == 415
    assert "must be application/json" in answer.json["error"]


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=UTF-8"])
def test_json_is_taken_as_label_studio_and_others_write_it(client, kind):
    answer = client.post("/webhook", data='{"action": "X"}', headers={"Content-Type": kind})
    assert answer.status_code in (200, 201)


@pytest.mark.parametrize("address", ["10.0.0.5", "::ffff:10.0.0.5", "2001:db8::1", "fe80::1%eth0"])
def test_without_a_password_other_machines_are_refused_unless_that_is_meant(backend, address):
    closed, opened = create_app(backend), create_app(backend, allow_anonymous=True)
    there = {"REMOTE_ADDR": address}

    refused = closed.test_client().get("/versions", environ_overrides=there)
    assert refused.status_code == 403
    assert "RIS_BASIC_AUTH_PASSWORD" in refused.json["error"]
    assert opened.test_client().get("/versions", environ_overrides=there).status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1", ""])
def test_without_a_password_this_machine_is_answered(client, address):
    assert client.get("/versions", environ_overrides={"REMOTE_ADDR": address}).status_code == 200


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(HEADER, HEADER, HEADER)
def test_any_headers_get_a_sentence_and_foreign_ones_never_an_event(client, host, origin, site):
    headers = {"HTTP_HOST": host, "HTTP_ORIGIN": origin, "HTTP_SEC_FETCH_SITE": site}
    answer = client.post("/webhook", json=EVENT, environ_overrides=headers)

    assert answer.status_code in (400, 403)
    assert answer.json["error"]
