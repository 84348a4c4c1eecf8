"""The label stream of every pick config in the real editor: what lies on top, and what the keys do."""

import io
import re
import time

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from ris import label_config
from ris.core import rle
from ris.core.masks import compute_rle_box
from ris.core.types import Suggestion, Task
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import make_alternatives, write_predictions
from tests.browser.acts import WAIT_S, press, regions_shown, shown
from tests.builders.masks import rectangle
from tests.live.support.project import Project

pytestmark = pytest.mark.browser

LAYOUTS = (
    "pick_brush", "pick_brush_smart", "type_brush", "pick_bitmask", "pick_polygon", "pick_rectangle",
    "adjudicate_brush",
)  # fmt: skip
GREY = (128, 128, 128)
COLOURS = {"1st": (0xE4, 0x1A, 0x1C), "2nd": (0x37, 0x7E, 0xB8), "3rd": (0x4D, 0xAF, 0x4A)}
# The tool, the chosen labels of the drawing tags, and how many regions there are and are hidden.
STATE = """
const annotation = window.Htx.annotationStore.selected;
const image = annotation.objects.find(o => o.type === 'image');
const tool = image.getToolsManager().findSelectedTool();
const labels = [];
annotation.names.forEach((tag, name) => (tag.type || '').endsWith('labels') && tag.children.forEach(one => {
  if (one.selected) labels.push(name + ': ' + one._value);
}));
const made = annotation.serializeAnnotation().filter(r => r.type === 'choices');
const choices = made.flatMap(r => r.value.choices);
const regions = annotation.regionStore.regions;
return [choices, [tool ? tool.fullName || tool.toolName : null, labels, regions.length,
                  regions.filter(r => r.hidden).length, window.Htx.autoAnnotation]];
"""


@pytest.fixture(scope="module", params=LAYOUTS)
def opened(request, editor, studio, client):
    """One grey picture in the stream, with three masks one inside the other: all cover the middle."""
    xml = label_config.read(f"{request.param}.xml")
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), GREY).save(picture, "PNG")
    project, (stored,) = Project.create(client, request.param, xml, [picture.getvalue()])
    (number,) = project.import_tasks([{"image": stored, "expression": "the box"}])
    nested = [rectangle((300, 400), 100 + d, 60 + d, 300 - d, 240 - d) for d in (0, 20, 40)]
    suggestions = [
        Suggestion(rank, 0.9 - 0.2 * rank, code := rle.encode_rle(mask), compute_rle_box(code), {}, "v")
        for rank, mask in enumerate(nested)
    ]
    task = Task(number, project.key, stored, "the box")
    (written,) = write_predictions(
        make_alternatives(task, "v", suggestions, shuffled_share=0), read_controls(xml), version="v"
    )
    client.call("POST", "/api/predictions/", {"task": number, **written})
    client.call("PATCH", f"/api/projects/{project.project_id}", {"model_version": "v"})
    editor.get(f"{studio.url}/projects/{project.project_id}/data?labeling=1")
    WebDriverWait(editor, WAIT_S).until(regions_shown)
    time.sleep(1.5)
    return editor, xml


def test_the_first_lies_on_top_and_the_numbers_are_the_ranks(opened):
    browser, _ = opened

    numbers = browser.execute_script(
        "return window.Htx.annotationStore.selected.regionStore.regions"
        ".map(r => [r.region_index, r.labels.join()])"
    )
    weights = measure_weights(browser)

    assert numbers == [[1, "1st"], [2, "2nd"], [3, "3rd"]]
    # What is drawn later covers what was drawn before it; outlines and boxes are almost clear.
    assert weights["1st"] > weights["3rd"]


def measure_weights(browser):
    """How much of each label's colour is in the pixel that all masks cover."""
    canvas = shown(browser, ".konvajs-content canvas")
    left, top = browser.execute_script(
        "const box = arguments[0].getBoundingClientRect(); return [box.x, box.y]", canvas
    )
    width, height = browser.execute_script(
        "const o = window.Htx.annotationStore.selected.objects.find(o => o.type === 'image');"
        "return [o.stageWidth, o.stageHeight]"
    )
    with Image.open(io.BytesIO(browser.get_screenshot_as_png())) as shot:
        pixel = shot.convert("RGB").getpixel((int(left + 0.55 * width), int(top + 0.55 * height)))
    mixture = np.vstack([np.array([GREY, *COLOURS.values()]).T, [255] * 4])
    weights = np.linalg.solve(mixture, [*pixel, 255])[1:]
    return dict(zip(COLOURS, weights, strict=True))


def test_each_key_makes_its_choice_and_changes_nothing_else(opened):
    browser, xml = opened
    keys = re.findall(r'<Choice value="([^"]+)" hotkey="(.)"/>', xml)
    _, before = browser.execute_script(STATE)

    kept: list[str] = []
    for value, key in keys:
        press(browser, key)
        chosen, state = browser.execute_script(STATE)
        # The key of `type_brush` that keeps the expression ticks a box of its own.
        kept = [value] if key == "k" else kept
        assert (chosen, state) == (kept if key == "k" else [*kept, value], before), key
    ranks = "asdzxc" if "6th" in xml else "asd"
    assert [key for _, key in keys] == [*(["k"] if "keep" in xml else []), *ranks, *"fg"]


def test_one_key_hides_all_masks_and_shows_them_again(opened):
    browser, _ = opened
    hidden = "return window.Htx.annotationStore.selected.regionStore.regions.map(r => r.hidden)"

    for expected in (True, False):
        ActionChains(browser).key_down(Keys.CONTROL).send_keys("h").key_up(Keys.CONTROL).perform()
        time.sleep(0.5)
        assert browser.execute_script(hidden) == [expected] * 3
