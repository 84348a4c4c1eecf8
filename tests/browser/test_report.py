"""The report in a real browser: it opens offline, all is drawn, and no expression runs as a program."""

import json
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By

from ris.core.types import Edit, Verdict
from ris.evaluation.decisions.html_report import render_report
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
    charts = browser.find_elements(By.TAG_NAME, "svg")
    pictures = browser.find_elements(By.TAG_NAME, "img")

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


def test_the_servers_page_opens_with_the_inbox_and_the_last_sync(browser, tmp_path):
    with BackendServer(tmp_path, "http://127.0.0.1:1") as server:
        browser.get(server.url)
        text = browser.find_element(By.TAG_NAME, "body").text
        browser.save_screenshot(str(tmp_path / "dashboard.png"))

    assert "what the annotators decided" in text
    assert "Inbox" in text
    assert "Last sync with Label Studio" in text
