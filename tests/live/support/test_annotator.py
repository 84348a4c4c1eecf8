import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ris.core.types import Verdict
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.masks import brush
from tests.builders.masks import rectangle
from tests.live.support.annotator import Annotator, find_closest_prediction, repaint_mask

SIZE = (60, 80)
CONTROLS = read_controls(read("tabs_brush.xml"))


class FakeProject:
    """Takes annotations as Label Studio's API would, and keeps them."""

    def __init__(self):
        self.taken = []

    def annotate(self, task_id, result, **more):
        self.taken.append((task_id, result, more))
        return 100 + len(self.taken)


def predictions():
    masks = [rectangle(SIZE, x, 5, x + 20, 30) for x in (2, 28, 54)]
    return [
        {
            "id": 10 + rank,
            "score": 0.5,
            "result": [
                {
                    "id": f"ris-{rank}",
                    "type": "brushlabels",
                    "original_height": SIZE[0],
                    "original_width": SIZE[1],
                    "origin": "prediction",
                    "value": {"format": "rle", "rle": brush.encode_brush(mask), "brushlabels": ["Referent"]},
                }
            ],
        }
        for rank, mask in enumerate(masks)
    ]


def test_accepting_sends_the_region_as_it_was_offered():
    project = FakeProject()

    act = Annotator(project, CONTROLS).accept(7, predictions(), 1)

    assert project.taken == [(7, predictions()[1]["result"], {"parent_prediction": 11})]
    assert (act.verdict, act.rank, act.annotation_id) == (Verdict.ACCEPTED, 1, 101)


def test_fixing_keeps_the_regions_id_and_changes_its_mask():
    project = FakeProject()

    Annotator(project, CONTROLS).fix(7, predictions(), 0)

    region = project.taken[0][1][0]
    assert (region["id"], region["origin"]) == ("ris-0", "prediction-changed")
    assert region["value"]["rle"] != predictions()[0]["result"][0]["value"]["rle"]


def test_redrawing_has_an_id_that_nobody_offered():
    project = FakeProject()

    Annotator(project, CONTROLS).redraw(7, predictions(), rectangle(SIZE, 0, 0, 9, 9))

    region = project.taken[0][1][0]
    assert not region["id"].startswith("ris")
    assert (brush.decode_brush(region["value"]["rle"], SIZE) == rectangle(SIZE, 0, 0, 9, 9)).all()


def test_no_referent_sends_the_choice_and_no_mask():
    project = FakeProject()

    Annotator(project, CONTROLS).mark_no_referent(7, predictions())

    assert [r["type"] for r in project.taken[0][1]] == ["choices"]
    assert project.taken[0][1][0]["value"] == {"choices": ["object not in image"]}


def test_skipping_leaves_the_mask_in_as_the_editor_does():
    project = FakeProject()

    Annotator(project, CONTROLS).skip(7, predictions())

    _, result, more = project.taken[0]
    assert (result, more["was_cancelled"]) == (predictions()[0]["result"], True)


@given(st.integers(0, 10**6))
def test_a_repainted_mask_is_another_mask(seed):
    mask = rectangle(SIZE, 10, 10, 30, 30)

    assert (repaint_mask(mask, random.Random(seed)) != mask).any()


def test_the_closest_alternative_is_found_with_its_iou():
    assert find_closest_prediction(predictions(), rectangle(SIZE, 28, 5, 48, 30)) == (1, 1.0)
    assert find_closest_prediction(predictions(), np.zeros(SIZE, np.bool_)) == (0, 0.0)
