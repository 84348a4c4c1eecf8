"""An annotator's day in the real editor: keys, strokes, clicks, tabs; each act is followed into SQL."""

import time

import numpy as np
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from ris import label_config
from ris.core import rle
from ris.core.types import Verdict
from ris.labelstudio.api import connecting
from tests.browser.acts import (
    SUBMIT,
    WAIT_S,
    accept,
    on_image,
    press,
    regions_shown,
    shown,
    smart_tool,
    stream,
    suggested,
)
from tests.live.support.backend_server import BackendServer
from tests.live.support.project import Project
from tests.live.support.recorded import on_record

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(studio, tmp_path_factory):
    with BackendServer(tmp_path_factory.mktemp("backend"), studio.url) as server:
        yield server


def made(client, server, samples, layout):
    """A connected project of these samples with their predictions: it, and its tasks' ids."""
    project, stored = Project.create(
        client, layout, label_config.read(f"{layout}.xml"), [s.png for s in samples]
    )
    ids = project.import_tasks(
        [{"image": ref, "expression": s.expression} for ref, s in zip(stored, samples, strict=True)]
    )
    connecting.connect_project(client, project.project_id, connecting.MLBackend(server.url))
    project.wait_for_predictions(ids)
    return project, ids


def decisions(server, project, count):
    return on_record(server, project, lambda found: len(found) >= count)


@pytest.fixture(scope="module")
def picked(client, server, samples):
    return made(client, server, samples[:5], "pick_brush_smart")


def test_the_key_of_the_second_and_submit_accept_the_second(editor, studio, picked, server, tmp_path_factory):
    project, _ = picked
    task, count = stream(editor, studio, project)
    assert count == 3
    press(editor, "s")
    editor.save_screenshot(str(tmp_path_factory.getbasetemp() / "pick.png"))
    shown(editor, SUBMIT).click()

    found = decisions(server, project, 1)

    ((_, decision),) = found.items()
    correction = decision.correction
    assert (correction.annotation.task.task_id, correction.verdict, correction.rank) == (
        task, Verdict.ACCEPTED, 1,
    )  # fmt: skip
    assert correction.annotation.lead_time_s > 0


def test_submit_without_a_choice_is_stopped(editor, studio, picked, server):
    project, _ = picked
    before = len(decisions(server, project, 1))
    stream(editor, studio, project)
    shown(editor, SUBMIT).click()

    WebDriverWait(editor, WAIT_S).until(lambda b: "Choose an answer first" in b.page_source)
    time.sleep(1)
    assert len(decisions(server, project, 0)) == before


def test_object_not_in_image_takes_one_key(editor, studio, picked, server):
    project, _ = picked
    task, _ = stream(editor, studio, project)
    press(editor, "g")
    shown(editor, SUBMIT).click()

    found = decisions(server, project, 2)

    (verdict,) = [
        d.correction.verdict for d in found.values() if d.correction.annotation.task.task_id == task
    ]
    assert verdict == Verdict.NO_REFERENT


def test_the_best_one_opens_in_the_quick_view_and_submit_accepts_it(
    editor, studio, client, server, samples, tmp_path_factory
):
    project, ids = made(client, server, samples[:1], "tabs_brush")
    editor.get(f"{studio.url}/projects/{project.project_id}/data?task={ids[0]}")
    shown(editor, SUBMIT)
    WebDriverWait(editor, WAIT_S).until(regions_shown)
    editor.save_screenshot(str(tmp_path_factory.getbasetemp() / "tabs.png"))
    tabs = editor.execute_script("return window.Htx.annotationStore.predictions.length")
    shown(editor, SUBMIT).click()

    found = decisions(server, project, 1)

    assert tabs == 3
    assert [(d.correction.verdict, d.correction.rank) for d in found.values()] == [(Verdict.ACCEPTED, 0)]
    assert np.isfinite(next(iter(found.values())).correction.annotation.lead_time_s)


def test_a_click_with_auto_annotation_on_gives_a_mask_to_take(
    editor, studio, client, server, samples, tmp_path_factory
):
    """On the red book: a click on an alternative would select that, by Label Studio's rule."""
    project, _ = made(client, server, samples[5:6], "pick_brush_smart")
    stream(editor, studio, project)
    smart_tool(editor, "key-point-tool", "5")
    on_image(editor, (0.37, 0.31))
    WebDriverWait(editor, WAIT_S).until(
        lambda b: b.execute_script("return window.Htx.annotationStore.selected.suggestions.size") == 1
    )
    editor.save_screenshot(str(tmp_path_factory.getbasetemp() / "click.png"))
    accept(editor)
    press(editor, "f")
    shown(editor, SUBMIT).click()

    (decision,) = decisions(server, project, 1).values()

    mask = rle.decode_rle(decision.correction.annotation.mask)
    assert decision.correction.verdict == Verdict.REDRAWN
    assert mask[round(0.31 * mask.shape[0]), round(0.37 * mask.shape[1])]
    assert 0.03 < mask.mean() < 0.3


def test_a_brush_over_the_first_makes_it_an_edit(editor, studio, client, server, samples):
    project, _ = made(client, server, samples[6:7], "pick_brush")
    stream(editor, studio, project)
    first = editor.find_elements(By.XPATH, "//*[contains(@class, 'outliner-item')]//*[text()='1st']")[0]
    first.click()
    press(editor, "b")
    on_image(editor, (0.05, 0.05), (0.2, 0.06), (0.25, 0.08))
    press(editor, "a")
    shown(editor, SUBMIT).click()

    (decision,) = decisions(server, project, 1).values()

    correction = decision.correction
    assert (correction.verdict, correction.rank) == (Verdict.EDITED, 0)
    assert correction.edit.added_px > 0
    assert correction.edit.removed_px == 0


def test_a_tab_that_is_duplicated_and_submitted_is_accepted(editor, studio, client, server, samples):
    """In the quick view each alternative is a tab; the copy of the 3rd names the 3rd."""
    project, ids = made(client, server, samples[1:2], "tabs_brush")
    editor.get(f"{studio.url}/projects/{project.project_id}/data?task={ids[0]}")
    shown(editor, SUBMIT)
    WebDriverWait(editor, WAIT_S).until(regions_shown)
    tabs = [e for e in editor.find_elements(By.CSS_SELECTOR, ".lsf-annotation-button") if e.is_displayed()]
    worst = editor.execute_script(
        "const s = window.Htx.annotationStore; const p = s.predictions.find("
        "p => p.serializeAnnotation()[0].meta.rank === 2); s.selectPrediction(p.id); return p.pk"
    )
    tab = shown(editor, ".lsf-annotation-button_selected")
    ActionChains(editor).move_to_element(tab).perform()
    shown(editor, ".lsf-annotation-button_selected .lsf-annotation-button__trigger").click()
    shown(editor, ".lsf-dropdown.lsf-visible")
    editor.find_element(By.XPATH, "//*[normalize-space(text())='Duplicate Annotation']").click()
    WebDriverWait(editor, WAIT_S).until(
        lambda b: b.execute_script("return window.Htx.annotationStore.selected.type") == "annotation"
    )
    shown(editor, SUBMIT).click()

    (decision,) = decisions(server, project, 1).values()

    assert worst
    assert len(tabs) >= 3
    assert (decision.correction.verdict, decision.correction.rank) == (Verdict.ACCEPTED, 2)


def test_typed_words_give_alternatives_and_can_be_kept_for_the_next_image(
    editor, studio, client, server, samples, tmp_path_factory
):
    project, stored = Project.create(
        client, "typed", label_config.read("type_brush.xml"), [s.png for s in samples[:2]]
    )
    first, second = project.import_tasks([{"image": reference} for reference in stored])
    connecting.connect_project(client, project.project_id, connecting.MLBackend(server.url))
    editor.get(f"{studio.url}/projects/{project.project_id}/data?labeling=1")
    shown(editor, SUBMIT)
    if not editor.execute_script("return window.Htx.autoAnnotation"):
        editor.find_element(By.XPATH, "//*[normalize-space(text())='Auto-Annotation']").click()

    field = shown(editor, "[placeholder^='Describe one object']")
    field.send_keys(samples[0].expression)
    field.send_keys(Keys.ENTER)
    WebDriverWait(editor, WAIT_S).until(lambda b: suggested(b) == 3)
    accept(editor)
    press(editor, "k")
    press(editor, "s")
    shown(editor, SUBMIT).click()
    (decision,) = decisions(server, project, 1).values()
    WebDriverWait(editor, WAIT_S).until(
        lambda b: b.execute_script("return window.Htx.task && window.Htx.task.id") == second
    )
    WebDriverWait(editor, WAIT_S).until(regions_shown)
    editor.save_screenshot(str(tmp_path_factory.getbasetemp() / "type.png"))
    text = editor.execute_script(
        "return window.Htx.annotationStore.selected.serializeAnnotation()"
        ".filter(r => r.type === 'textarea').map(r => r.value.text[0])"
    )

    correction = decision.correction
    assert correction.annotation.task.task_id == first
    assert correction.annotation.task.expression == samples[0].expression
    assert (correction.verdict, correction.rank) == (Verdict.ACCEPTED, 1)
    assert text == [samples[0].expression]


@pytest.mark.parametrize(
    ("layout", "at_least"),
    [
        ("pick_brush", 3), ("pick_brush_smart", 3), ("pick_bitmask", 3), ("pick_polygon", 3),
        ("pick_rectangle", 3), ("tabs_brush", 1), ("tabs_polygon", 1),
    ],
)  # fmt: skip
def test_every_label_config_shows_its_alternatives(
    editor, studio, client, server, samples, tmp_path_factory, layout, at_least
):
    project, ids = made(client, server, samples[2:3], layout)
    where = f"task={ids[0]}" if layout.startswith("tabs") else "labeling=1"
    editor.get(f"{studio.url}/projects/{project.project_id}/data?{where}")
    shown(editor, SUBMIT)
    _, regions = WebDriverWait(editor, WAIT_S).until(regions_shown)
    time.sleep(1)
    editor.save_screenshot(str(tmp_path_factory.getbasetemp() / f"{layout}.png"))

    errors = [e for e in editor.get_log("browser") if "RangeError" in e["message"]]
    assert regions >= at_least
    assert errors == []
