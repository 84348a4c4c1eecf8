"""A tidied annotation has the same mask and the same verdict as before."""

import pytest

from ris.core.types import Verdict
from ris.core.verdict import judge_annotation
from ris.errors import LabelStudioError
from ris.label_config import read
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import write_predictions
from ris.labelstudio.result import read_mask
from ris.service.tidying import select_wanted_regions, tidy_project
from tests.builders.alternatives import OFFERS, TASK
from tests.builders.services import NOW

PICK = read_controls(read("pick_brush.xml"))
((OFFERED,),) = [[p["result"] for p in write_predictions(OFFERS, PICK, version="v")]]
OTHER = {"id": "n", "from_name": "notes", "to_name": "image", "type": "textarea", "value": {"text": ["x"]}}


def choice(value):
    return {
        "id": "c",
        "from_name": "pick",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": [value]},
    }


class Studio:
    def __init__(self, *results, **more):
        self.annotations = [
            {"id": number, "result": result, "updated_at": "2026-01-01T00:00:00Z", "was_cancelled": False}
            | more
            for number, result in enumerate(results, 1)
        ]
        self.patched, self.refuses = {}, False

    def call(self, method, path, body=None, **params):
        if method == "PATCH":
            if self.refuses:
                raise LabelStudioError("Label Studio answered 403 to PATCH")
            self.patched[path] = body
            return None
        if path == "/api/tasks":
            return {
                "tasks": [
                    {"id": 1, "data": {"image": "/a", "expression": "mug"}, "annotations": self.annotations}
                ],
                "total": 1,
            }
        return {"id": 3, "created_at": "2026-01-01T00:00:00Z", "label_config": read("pick_brush.xml")}

    def exists(self, path):
        return True


def tidied(studio, *, dry_run=False):
    return list(tidy_project(studio, 3, dry_run=dry_run))


def verdict(result):
    from ris.core.types import Annotation

    mask, ids = read_mask(select_meant_regions(result, PICK))
    found = judge_annotation(Annotation(1, TASK, NOW, mask, ids), OFFERS)
    return found.verdict, found.rank, found.annotation.mask


@pytest.mark.parametrize(("value", "left"), [("1st", 1), ("2nd", 1), ("3rd", 1), ("no such thing", 0)])
def test_the_chosen_mask_stays_and_reads_the_same(value, left):
    result = [*OFFERED, choice(value), OTHER]
    kept = select_wanted_regions(result, select_meant_regions(result, PICK), PICK)

    assert sum(r["type"] == "brushlabels" for r in kept) == left
    assert [r["type"] for r in kept[left:]] == ["choices", "textarea"]
    assert verdict(kept) == verdict(result)
    assert select_wanted_regions(kept, select_meant_regions(kept, PICK), PICK) == kept


def test_what_was_drawn_stays_and_the_untouched_go():
    drawn = {**OFFERED[0], "id": "mine", "origin": "manual"}
    result = [*OFFERED, drawn, choice("drew it myself")]
    kept = select_wanted_regions(result, select_meant_regions(result, PICK), PICK)

    assert [r["id"] for r in kept] == ["mine", "c"]


def test_label_studio_is_told_only_of_what_changes():
    studio = Studio([*OFFERED, choice("2nd")], [OFFERED[1], choice("2nd")], [])

    assert [one.n_removed for one in tidied(studio)] == [2, 0, 0]
    assert list(studio.patched) == ["/api/annotations/1/"]
    assert verdict(studio.patched["/api/annotations/1/"]["result"])[:2] == (Verdict.ACCEPTED, 1)


def test_a_dry_run_changes_nothing():
    studio = Studio([*OFFERED, choice("2nd")])

    assert [one.n_removed for one in tidied(studio, dry_run=True)] == [2]
    assert studio.patched == {}


def test_a_skipped_answer_stays_as_it_is():
    assert [one.n_removed for one in tidied(Studio([*OFFERED, choice("2nd")], was_cancelled=True))] == [0]


def test_what_cannot_be_tidied_is_told_and_the_others_are():
    studio = Studio([choice("2nd")], [*OFFERED, choice("1st")])

    first, second = tidied(studio)

    assert "no mask has that label" in first.failure
    assert second.n_removed == 2
    studio.refuses = True
    assert tidied(studio)[1].failure == "Label Studio answered 403 to PATCH"
