"""A click, a box or words without a result, in the real editor: it is said, and no region is left."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image as Picture
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from werkzeug.serving import make_server

from ris import label_config
from ris.core.types import Image
from ris.labelstudio.api import connecting
from ris.web.app import create_app
from tests.browser.acts import SUBMIT, WAIT_S, accept, on_image, press, shown, smart_tool, suggested
from tests.builders.fakes import squares
from tests.live.support.project import Project

pytestmark = pytest.mark.browser

NOTHING_FOUND, NO_ANSWER = "Nothing was found.", "There was no answer."
EMPTY = np.zeros((32, 32, 3), np.uint8)
SKY = ((0.5, 0.03), (0.03, 0.5), (0.97, 0.5))  # black places of `squares()`, in shares of its sides


@pytest.fixture
def images():
    """The first picture of a project has coloured squares, the second is black."""
    return lambda task: Image.from_pixels(EMPTY if "scene-01" in task.image_url else squares())


@pytest.fixture
def server(backend, gate):
    gate.opened.set()
    server = make_server("127.0.0.1", 0, create_app(backend, allow_anonymous=True), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def opened(client, server, editor, studio):
    """Opens one picture in the label stream of a label config, with Auto-Annotation; returns its task."""

    def open_task(layout, number):
        pictures = []
        for pixels in (squares(), EMPTY):
            file = io.BytesIO()
            Picture.fromarray(pixels).save(file, "PNG")
            pictures.append(file.getvalue())
        config = label_config.read(f"{layout}.xml")
        project, stored = Project.create(client, layout, config, pictures)
        expression = {} if layout == "type_brush" else {"expression": "the red"}
        (task,) = project.import_tasks([{"image": stored[number]} | expression])
        connecting.connect_project(client, project.project_id, connecting.MLBackend(server))
        editor.get(f"{studio.url}/projects/{project.project_id}/data?labeling=1")
        shown(editor, SUBMIT)
        time.sleep(2)
        editor.execute_script("window.Htx.setAutoAnnotation(true)")
        return task

    return open_task


def count_regions(browser):
    return browser.execute_script("return window.Htx.annotationStore.selected.regionStore.regions.length")


def is_shown(browser, sentence):
    return browser.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4,h5')]"
        ".some(e => e.innerText.startsWith(arguments[0]) && e.checkVisibility())",
        sentence,
    )


def wait_for(browser, sentence):
    WebDriverWait(browser, WAIT_S).until(lambda b: is_shown(b, sentence))
    time.sleep(1)


def find_drafted(client, browser, task):
    """The tags that the saved draft of a task holds something of."""
    browser.execute_script("window.Htx.annotationStore.selected.saveDraftImmediately()")
    deadline = time.monotonic() + WAIT_S
    while not (drafts := client.call("GET", f"/api/tasks/{task}/")["drafts"]):
        assert time.monotonic() < deadline, "no draft was saved"
        time.sleep(0.5)
    return {r["from_name"] for r in drafts[0]["result"] if r["type"] != "choices" or r["value"]["choices"]}


@pytest.mark.parametrize("layout", ["pick_brush_smart", "type_brush"])
def test_a_click_on_nothing_is_said_and_leaves_no_region(opened, editor, client, layout):
    task = opened(layout, 0)
    alternatives = count_regions(editor)
    drafted = {"mask"} if alternatives else set()

    # Each click is asked for alone: what is left of an earlier one would be sent with it.
    for place in SKY:
        smart_tool(editor, "key-point-tool", "5")
        on_image(editor, place)
        wait_for(editor, NOTHING_FOUND)
        assert count_regions(editor) == alternatives
        assert find_drafted(client, editor, task) == {*drafted, "nothing_found"}


def test_a_mask_hides_the_notice_and_the_answer_holds_nothing_of_it(opened, editor, client):
    task = opened("type_brush", 0)
    smart_tool(editor, "key-point-tool", "5")
    on_image(editor, SKY[0])
    wait_for(editor, NOTHING_FOUND)

    smart_tool(editor, "key-point-tool", "5")
    on_image(editor, (0.2, 0.2))
    WebDriverWait(editor, WAIT_S).until(lambda b: suggested(b) == 1)
    assert not is_shown(editor, NOTHING_FOUND)
    accept(editor)
    press(editor, "f")
    field = shown(editor, "[placeholder^='Describe one object']")
    field.send_keys("the red", Keys.ENTER)
    time.sleep(2)
    shown(editor, SUBMIT).click()

    WebDriverWait(editor, WAIT_S).until(
        lambda _: client.call("GET", f"/api/tasks/{task}/")["annotations"], "no answer was submitted"
    )
    (answer,) = client.call("GET", f"/api/tasks/{task}/")["annotations"]
    assert {region["from_name"] for region in answer["result"]} == {"mask", "pick", "expression"}


def test_a_box_around_nothing_is_said_and_leaves_no_region(opened, editor, client):
    task = opened("type_brush", 1)
    for shift in (0, 0.3):
        smart_tool(editor, "rectangle-tool", "6")
        on_image(editor, (0.1 + shift, 0.1), (0.3 + shift, 0.3))
        wait_for(editor, NOTHING_FOUND)
        assert count_regions(editor) == 0
        assert find_drafted(client, editor, task) == {"nothing_found"}


def test_words_that_find_nothing_are_said(opened, editor, client):
    task = opened("type_brush", 1)
    field = shown(editor, "[placeholder^='Describe one object']")
    field.send_keys("the red", Keys.ENTER)

    wait_for(editor, NOTHING_FOUND)
    assert count_regions(editor) == 0
    assert find_drafted(client, editor, task) == {"expression", "nothing_found"}


def test_an_error_is_said_and_leaves_no_region(opened, editor, client, backend, monkeypatch):
    task = opened("type_brush", 0)
    monkeypatch.setattr(backend.refining, "fetch", lambda task: Image.from_pixels(EMPTY[:16]))
    smart_tool(editor, "key-point-tool", "5")
    on_image(editor, SKY[0])

    wait_for(editor, NO_ANSWER)
    assert count_regions(editor) == 0
    assert find_drafted(client, editor, task) == {"no_answer"}
