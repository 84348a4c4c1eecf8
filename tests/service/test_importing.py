import json

import numpy as np
import pytest

from backend.core import rle
from backend.datasets.entry import Entry
from backend.errors import DatasetError, LabelConfigError
from backend.labelstudio.answer import is_imported
from backend.labelstudio.choice import meant
from backend.labelstudio.control import read_controls
from backend.labelstudio.result import read_mask
from backend.service.importing import TASKS_AT_ONCE, found_images, push, read_dataset, tasks_of
from label_config import read
from tests.datasets import test_phrasecut as phrasecut
from tests.datasets import test_refcoco as refcoco

PICK, TABS = read_controls(read("pick_brush.xml")), read_controls(read("tabs_brush.xml"))
MASK = rle.encode(np.eye(6, 9, dtype=np.bool_))
KNOWN = Entry("the left mug", "a.jpg", (6, 9), MASK, True, "val")
NONE = Entry("a dog", "a.jpg", (6, 9), None, False, "val")
UNKNOWN = Entry("the cup", "b/c.jpg", None, None, True, "train")


def made(*entries, controls=PICK):
    return tasks_of(entries, controls, lambda name: f"/data/{name}")


@pytest.mark.parametrize("controls", [PICK, TABS])
def test_a_known_mask_is_ground_truth_that_reads_back(controls):
    (task,) = made(KNOWN, controls=controls)

    (truth,) = task["annotations"]
    assert task["data"] == {"image": "/data/a.jpg", "expression": "the left mug", "split": "val"}
    assert truth["ground_truth"] is True
    assert read_mask(meant(truth["result"], controls))[0] == MASK


def test_the_data_is_what_the_label_config_shows():
    brush = '<BrushLabels name="mask" toName="image"><Label value="It"/></BrushLabels>'
    nested = read_controls(
        f'<View><HyperText name="t" value="$d.html"/><Image name="image" value="$d.pages[0]"/>{brush}</View>'
    )
    fixed = read_controls(
        f'<View><Header value="$phrase"/><Image name="image" value="https://x/a.png"/>{brush}</View>'
    )

    (task,) = made(Entry("a < b", "a.jpg", None, None, True, "val"), controls=nested)

    assert task["data"] == {"d": {"html": "a &lt; b", "pages": ["/data/a.jpg"]}, "split": "val"}
    with pytest.raises(LabelConfigError, match="cannot become '/data/a.jpg'"):
        made(KNOWN, controls=fixed)


def test_what_is_not_there_is_the_choice_that_says_so_and_what_is_not_known_stays_open():
    none, unknown = made(NONE, UNKNOWN)

    assert [r["value"]["choices"] for r in none["annotations"][0]["result"]] == [["no such thing"]]
    assert "annotations" not in unknown


def test_imported_truth_is_nobodys_decision_until_somebody_works_on_it():
    (truth,) = made(KNOWN)[0]["annotations"]
    drawn = {**truth["result"][0], "id": "x1"}

    assert is_imported(truth)
    assert not is_imported(truth | {"lead_time": 3.2})
    assert not is_imported(truth | {"result": [*truth["result"], drawn]})
    assert not is_imported(truth | {"result": []})


def test_every_kind_of_dataset_is_told_by_its_files(tmp_path):
    folders = [tmp_path / name for name in ("refcoco", "phrasecut", "captions")]
    for folder in folders:
        folder.mkdir()
    refcoco.write(folders[0], [refcoco.ref(7, "left box")])
    phrasecut.write(folders[1], [phrasecut.task([[[[1, 1], [5, 5], [1, 5]]]])])
    (folders[2] / "captions.txt").write_text("a.png\tthe mug\n")

    assert [read_dataset(folder)[0].expression for folder in folders] == ["left box", "red box", "the mug"]
    with pytest.raises(DatasetError, match="nothing is not there"):
        read_dataset(tmp_path / "nothing")


def test_images_are_found_by_their_path_or_their_name(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("a.jpg", "b/c.jpg"):
        (tmp_path / name).write_bytes(b"x")

    found = found_images([KNOWN, UNKNOWN, Entry("x", "/deep/a.jpg", None, None, True, "")], tmp_path)

    assert {name: path.relative_to(tmp_path).as_posix() for name, path in found.items()} == {
        "a.jpg": "a.jpg", "b/c.jpg": "b/c.jpg", "/deep/a.jpg": "a.jpg",
    }  # fmt: skip
    with pytest.raises(DatasetError, match="1 images are not in .*, the first is 'z.jpg'"):
        found_images([Entry("x", "z.jpg", None, None, True, "")], tmp_path)


def test_tasks_go_some_hundred_at_a_time():
    class Studio:
        def __init__(self):
            self.bodies = []

        def call(self, method, path, body=None, **params):
            assert (method, path) == ("POST", "/api/projects/3/import")
            self.bodies.append(json.loads(json.dumps(body)))
            return {"task_count": len(body)}

    studio, told = Studio(), []
    tasks = made(*[UNKNOWN] * (TASKS_AT_ONCE + 5))

    assert push(studio, 3, tasks, told.append) == len(tasks)
    assert told == [len(body) for body in studio.bodies] == [TASKS_AT_ONCE, 5]
