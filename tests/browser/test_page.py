"""The page at `/` in a real browser: the policy stops nothing of it, and everything that is injected."""

import threading
from datetime import timedelta

import pytest
from selenium.webdriver.common.by import By
from waitress.server import create_server

from ris.core.types import Verdict
from ris.store.inbox import count_events
from ris.web.app import create_app
from tests.builders.records import add, correction

pytestmark = pytest.mark.browser


@pytest.fixture
def url(backend, database):
    """The page with answers of two weeks, so that every chart is drawn."""
    add(
        database,
        *(
            correction(n, seconds=int(timedelta(days=n).total_seconds()), verdict=Verdict.NO_REFERENT)
            for n in range(1, 15)
        ),
    )
    server = create_server(create_app(backend), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}/"
    server.close()


def test_the_page_is_styled_and_the_browser_refuses_nothing_of_it(browser, url):
    browser.get_log("browser")
    browser.get(url)

    assert "what the annotators decided" in browser.find_element(By.TAG_NAME, "h1").text
    width = "return getComputedStyle(document.body).maxWidth"
    assert browser.execute_script(width) != "none"
    assert not [one for one in browser.get_log("browser") if "Content Security Policy" in one["message"]]


def test_what_is_injected_into_the_page_does_not_run_and_a_frame_stays_empty(browser, url):
    browser.get(url)
    browser.execute_script(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=`owned`\">');"
        "const inline = document.createElement('script'); inline.textContent = 'document.title=`owned`';"
        "document.body.append(inline);"
    )
    browser.execute_async_script("setTimeout(arguments[0], 300)")

    assert browser.title != "owned"
    browser.get(f"data:text/html,<iframe src='{url}'></iframe>")
    browser.switch_to.frame(0)
    shown = browser.find_element(By.TAG_NAME, "body").text
    browser.switch_to.default_content()
    assert "what the annotators decided" not in shown


def test_a_page_of_another_site_cannot_send_an_event(browser, url, database):
    """`text/plain` and form posts need no permission of the server; JSON asks for it first."""
    browser.get("data:text/html,<p>another site</p>")
    for kind in ("text/plain", "application/json"):
        browser.execute_async_script(
            "const [url, kind, done] = arguments;"
            "fetch(url + 'webhook', {method: 'POST', body: '{\"action\": \"X\"}', mode: 'no-cors',"
            " headers: {'Content-Type': kind}}).then(done, done)",
            url, kind,
        )  # fmt: skip
    with database.begin() as session:
        assert sum(count_events(session).values()) == 0
