"""The report in a real browser: it opens offline, all is drawn, and no expression runs as a program."""

import json
from datetime import timedelta
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.records import fill_database
from ris.core.types import Edit, Verdict
from ris.evaluation.decisions.html_report import render_report
from tests.browser.acts import WAIT_S
from tests.builders.evaluated import LEFT, MONDAY, RIGHT, SIZE, draw_galleries, make_decision, to_table
from tests.builders.masks import rectangle
from tests.live.support.backend_server import BackendServer

pytestmark = pytest.mark.browser

NASTY = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
EDIT = Edit(0, 20, 0.25)


def decisions():
    made = []
    for number in range(40):
        verdict = (Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.EDITED, Verdict.REDRAWN)[number % 4]
        mask = (LEFT, RIGHT, rectangle(SIZE, 0, 0, 2, 10), RIGHT)[number % 4]
        made.append(
            make_decision(
                verdict, mask, rank=(0, 1, 0, None)[number % 4], number=number, image=f"{number}.png",
                iou=(1.0, 1.0, 0.5, 0.2)[number % 4], edit=EDIT if verdict is Verdict.EDITED else None,
                expression=NASTY if number % 8 == 3 else "the left mug",
                lead_time_s=2.0 + number % 7, at=MONDAY + timedelta(days=number),
            )
        )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    grey = np.full((*SIZE, 3), 90, np.uint8)
    galleries = draw_galleries(decisions(), lambda task: grey)
    table = to_table(decisions())
    file.write_text(
        render_report(table, title="What was decided", subtitle="40 decisions", galleries=galleries)
    )
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(file.as_uri())
    browser.save_screenshot(str(file.with_suffix(".png")))
    return browser, file


def test_no_expression_runs_as_a_program(opened):
    browser, _ = opened

    assert browser.title == "What was decided"
    assert NASTY in browser.find_element(By.TAG_NAME, "body").text


def test_it_asks_nothing_of_any_network_and_logs_no_error(opened):
    browser, _ = opened
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}

    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_every_chart_and_every_picture_is_drawn(opened):
    browser, _ = opened
    charts = browser.find_elements(By.CSS_SELECTOR, ".charts img")
    pictures = browser.find_elements(By.CSS_SELECTOR, ".gallery img")

    assert len(charts) >= 5
    assert all(chart.size["width"] > 200 and chart.size["height"] > 100 for chart in charts)
    assert len(pictures) > 5
    assert all(browser.execute_script("return arguments[0].naturalWidth", one) > 100 for one in pictures)


def test_nothing_is_wider_than_the_window(opened):
    browser, _ = opened

    wide, window = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= window


def test_the_screenshot_is_no_blank_page(opened):
    _, file = opened
    with Image.open(file.with_suffix(".png")) as shot:
        colours = np.unique(np.asarray(shot.convert("RGB")).reshape(-1, 3), axis=0)

    assert len(colours) > 50


def check_accessibility(browser):
    """What axe finds: the rule and the elements that break it."""
    script = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    browser.execute_script(script)
    found = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    return {one["id"]: [node["html"] for node in one["nodes"]] for one in found["violations"]}


def test_the_report_passes_the_accessibility_checker(opened):
    browser, _ = opened

    assert check_accessibility(browser) == {}


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """The server's page over a record of 300 answers whose images cannot be fetched."""
    folder = tmp_path_factory.mktemp("page")
    fill_database(f"sqlite:///{folder / 'ris.db'}", 300, seed=1)
    with BackendServer(folder, "http://127.0.0.1:1") as server:
        browser.get_log("browser")
        browser.get(server.url)
        yield browser, server.url


def test_the_servers_page_shows_progress_disputes_and_state(page):
    browser, _ = page
    text = browser.find_element(By.TAG_NAME, "body").text

    for words in ("what the annotators decided", "Progress by project", "Tasks on which annotators disagree"):
        assert words in text
    folded = [one.text for one in browser.find_elements(By.CSS_SELECTOR, "details > summary")]
    assert {"Webhook events", "Last sync with Label Studio", "All figures"} <= set(folded)


def test_the_servers_page_passes_the_accessibility_checker_and_breaks_no_policy(page):
    browser, _ = page

    assert check_accessibility(browser) == {}
    refused = [
        one["message"] for one in browser.get_log("browser") if "Content Security Policy" in one["message"]
    ]
    assert refused == []


def test_a_table_unfolds_and_a_filter_is_set_with_the_keyboard_alone(page):
    browser, url = page
    browser.get(url)
    summary = browser.find_element(By.XPATH, "//summary[text()='By annotator']")
    summary.send_keys(Keys.ENTER)
    assert summary.find_element(By.XPATH, "..").get_attribute("open") is not None

    browser.find_element(By.NAME, "verdict").send_keys("edited")
    browser.find_element(By.NAME, "verdict").send_keys(Keys.ENTER)
    browser.find_element(By.CSS_SELECTOR, "form button").send_keys(Keys.ENTER)
    WebDriverWait(browser, WAIT_S).until(lambda b: "verdict=edited" in b.current_url)

    tile = browser.find_element(By.CSS_SELECTOR, ".tile")
    assert "edited" in tile.text
    assert "accepted" not in tile.text


def test_the_page_reads_itself_again_and_keeps_open_tables(page):
    browser, url = page
    browser.get(url)
    browser.find_element(By.XPATH, "//summary[text()='By annotator']").click()
    browser.execute_script("document.activeElement.blur(); document.querySelector('.tile').remove();")

    browser.execute_async_script("refresh().then(arguments[arguments.length - 1])")

    assert browser.find_element(By.CSS_SELECTOR, ".tile").text.startswith("decisions here")
    summary = browser.find_element(By.XPATH, "//summary[text()='By annotator']")
    assert summary.find_element(By.XPATH, "..").get_attribute("open") is not None


def test_a_page_that_cannot_be_read_again_says_since_when_it_is_old(page):
    browser, url = page
    browser.get(url)
    browser.execute_script(
        "document.activeElement.blur(); window.fetch = async () => ({ok: false, status: 503});"
    )

    browser.execute_async_script("refresh().catch(showStale).then(arguments[arguments.length - 1])")

    line = browser.find_element(By.ID, "stale")
    assert line.is_displayed()
    assert "The page could not be read again (the server answered 503). It shows the state of" in line.text
