"""Every answer tells browsers what they may do with it."""

import re

import pytest

from ris.web.app import create_app
from ris.web.headers import SECURITY_HEADERS
from tests.builders.events import event, process

BROWSER = {"Accept": "text/html"}


def test_the_policy_allows_nothing_inline_and_no_frame():
    policy = SECURITY_HEADERS["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200), ("GET", "/", 200), ("GET", "/static/page.css", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/metrics", 200), ("GET", "/nothing", 404), ("GET", "/webhook", 405),
        ("POST", "/webhook", 400),
        ("OPTIONS", "/webhook", 200),
    ],
)  # fmt: skip
def test_every_answer_has_the_headers(client, method, path, status):
    answer = client.open(path, method=method, headers=BROWSER)

    assert answer.status_code == status
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
    assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


def test_refusals_and_faults_have_them_too(backend):
    app = create_app(backend, basic_auth=("ris", "open"))

    @app.get("/fail")
    def fail():
        raise KeyError

    client = app.test_client()
    refused, failed = client.get("/"), client.get("/fail", auth=("ris", "open"))
    assert (refused.status_code, failed.status_code) == (401, 500)
    for answer in (refused, failed):
        assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


def test_the_page_has_nothing_that_the_policy_stops(client, recording, database, offered):
    process(recording, database, event(offered()[0]))

    page = client.get("/", headers=BROWSER).text

    assert '<link rel="stylesheet" href="static/page.css">' in page
    assert 'src="charts/times.svg?' in page
    assert not re.search(r"<style|<script(?! src=\"static/)|<svg|\sstyle=|\son\w+=|javascript:", page)
