"""Make the pictures of docs/report.md anew: `python -m tests.browser.report_pictures docs/images`.

The record is made here: drawn scenes with one expression each, the embedded networks, and a program that
knows the right mask. It takes the best alternative, repaints every fourth, redraws one and those without a
good alternative, answers once that the object is not in the image, and skips once. Half of the tasks are
shown in random order.
"""

import base64
import random
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from ris import assembly, planning
from ris.config import Settings
from ris.core import rle
from ris.core.decision import Decision
from ris.core.types import Annotation, Image, Task
from ris.core.verdict import judge_annotation
from ris.evaluation.decisions.html_report import render_report
from ris.labelstudio.region import make_alternatives
from ris.tinyworld.samples import make_samples
from tests.browser.acts import FLAGS
from tests.builders.evaluated import MONDAY, draw_galleries, to_table
from tests.live.support.annotator import repaint_mask

N_SCENES = 40
WIDTH_PX = 1180
MIN_IOU = 0.5  # of an alternative that is taken or repainted
REDRAWN, NOT_THERE, SKIPPED = 9, 14, 19  # numbers of tasks
# What each picture shows: elements of the report, in its order.
PICTURES = {
    "report_figures.png": ["header", ".tiles", "details:nth-of-type(1)"],
    "report_tables.png": ["details:nth-of-type(2)", "details:nth-of-type(3)", "details:nth-of-type(4)"],
    "report_charts.png": [".charts"],
    "report_misses.png": [".gallery"],
}
SHOW = """
document.querySelectorAll("details").forEach(one => one.open = true);
const shown = arguments[0].map(selector => document.querySelector(selector));
const hide = (one, isHidden) => { if (isHidden) one.style.setProperty("display", "none", "important"); };
document.querySelectorAll("header, footer, main > *").forEach(one => hide(one, !shown.includes(one)));
document.querySelectorAll(".gallery > li").forEach((one, i) => hide(one, i >= 6));
const bottoms = shown.map(one => one.getBoundingClientRect().bottom + window.scrollY);
return Math.ceil(Math.max(...bottoms)) + 16;
"""


def make_record() -> tuple[list[Decision], list[np.ndarray]]:
    """Make the decisions, and the pixels of their tasks by number."""
    pipeline = assembly.load_pipeline(planning.make_plan(Settings(_env_file=None)))
    samples = make_samples(N_SCENES)
    decisions = []
    for number, sample in enumerate(samples, start=1):
        scene = pipeline.see(Image.from_pixels(sample.pixels))
        reference = pipeline.refer(scene, sample.expression)
        task = Task(number, "1.1767225600", f"{number}.png", sample.expression)
        shown = make_alternatives(task, reference.version, reference.suggestions, shuffled_share=0.5)
        masks = [rle.decode_rle(one.suggestion.mask) for one in shown]
        ious = [float((mask & sample.truth).sum() / (mask | sample.truth).sum()) for mask in masks]
        best = int(np.argmax(ious))
        final = masks[best]
        if number == REDRAWN or ious[best] < MIN_IOU:
            final = sample.truth
        elif number % 4 == 3:
            final = repaint_mask(final, random.Random(number))
        annotation = Annotation(
            number, task, MONDAY + timedelta(days=number),
            None if number in (NOT_THERE, SKIPPED) else rle.encode_rle(final),
            region_ids=() if final is sample.truth else (shown[best].region_id,),
            cancelled=number == SKIPPED, annotator=7, lead_time_s=2.0 + number % 5,
        )  # fmt: skip
        correction = judge_annotation(annotation, shown)
        decisions.append(Decision(correction, shown, scene.digest, scene.size, reference.version))
    return decisions, [sample.pixels for sample in samples]


def take_pictures(page: Path, folder: Path) -> None:
    """Take the pictures of a page with a headless Chromium."""
    options = Options()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    browser = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
    try:
        for name, selectors in PICTURES.items():
            browser.set_window_size(WIDTH_PX, 1000)
            browser.get(page.resolve().as_uri())
            height = browser.execute_script(SHOW, selectors)
            clip = {"x": 0, "y": 0, "width": WIDTH_PX, "height": height, "scale": 1}
            shot = browser.execute_cdp_cmd(
                "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True}
            )
            (folder / name).write_bytes(base64.b64decode(shot["data"]))
    finally:
        browser.quit()


def main(folder: Path) -> None:
    """Write the report next to its pictures, take them, and remove it."""
    decisions, pixels = make_record()
    galleries = draw_galleries(decisions, lambda task: pixels[task.task_id - 1])
    page = folder / "report.html"
    page.write_text(
        render_report(
            to_table(decisions), title="Referring-expression segmentation: what the annotators decided",
            subtitle=f"{len(decisions)} decisions", galleries=galleries,
        )
    )  # fmt: skip
    take_pictures(page, folder)
    page.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
