"""Every format is written, read back by the field's readers and compared; what was tampered with is found."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from backend.core.types import Verdict
from backend.errors import DatasetError, ImageUnreachable
from backend.export.formats import FORMATS
from backend.export.run import REPORT, Choice, material_of, write, write_pictures
from backend.export.validate import VALIDATORS, choice_of, validate
from backend.labelstudio.control import read_controls
from label_config import read
from tests.export.test_exports import decision, holed

CONTROLS = read_controls(read("tabs_brush.xml"))
CHOICE = Choice(formats=list(FORMATS), shares={"val": 0.3, "test": 0.3}, seed=3)


def shaped(size, kind):
    """Masks that are hard on formats."""
    rng, mask = np.random.default_rng(7), np.zeros(size, np.bool_)
    if kind == "one pixel":
        mask[size[0] - 1, 0] = True
    elif kind == "noise":
        mask = rng.random(size) > 0.5
    elif kind == "all":
        mask[:] = True
    return mask


def on(made, size, image):
    """The decision, of an image of another size."""
    return replace(made, image_size=size, image_digest=f"{abs(hash(image)):064x}"[:64])


def found():
    made = [on(decision(Verdict.ACCEPTED, holed(), 1), (9, 14), "a")]
    number = 2
    for size in ((9, 14), (31, 7), (1, 1)):
        for kind in ("one pixel", "noise", "all"):
            image = f"/data/upload/1/{size[0]}-{kind}.png"
            made.append(decision(Verdict.REDRAWN, shaped(size, kind), number, image, f"the {kind} of {size}"))
            made[-1] = replace(made[-1], image_size=size, image_digest=f"{number:064d}")
            number += 1
    made.append(decision(Verdict.NO_REFERENT, None, number))
    made.append(decision(Verdict.SKIPPED, holed(), number + 1))
    return made


DECISIONS = found()
SIZES = {d.correction.annotation.task.image_url: d.image_size for d in DECISIONS}


def fetch(task):
    file = io.BytesIO()
    Image.new("RGB", SIZES[task.image_url][::-1], "red").save(file, "PNG")
    return file.getvalue()


def material(choice=CHOICE, decisions=DECISIONS, fetch=fetch):
    return material_of(decisions, choice, fetch=fetch, controls={}, default_controls=CONTROLS)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return folder, write(material(), CHOICE, folder)


def test_there_is_a_validator_for_every_format():
    assert set(VALIDATORS) == set(FORMATS)


def test_every_format_agrees_with_the_record(exported):
    folder, _ = exported

    assert validate(folder, CHOICE, material()) == {name: [] for name in FORMATS}


def test_counts_in_equal_counts_out_in_every_format(exported):
    folder, written = exported
    report = json.loads((folder / REPORT).read_text())

    assert report["decisions"] == len(DECISIONS)
    for name, done in written.items():
        told = report["formats"][name]
        assert told["written"] + len(told["left_out"]) == len(DECISIONS)
        assert len(told["left_out"]) == len(done.left_out)
        assert all(one["reason"] for one in told["left_out"])


def test_only_outlines_lose_something_and_it_is_measured(exported):
    _, written = exported

    assert {name for name, done in written.items() if done.loss} == {"yolo"}
    assert written["yolo"].loss.startswith("IoU with the masks 0.")


def test_exporting_again_gives_the_same_bytes(exported, tmp_path):
    folder, _ = exported
    write(material(), CHOICE, tmp_path)

    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert [p for p in files if (folder / p).read_bytes() != (tmp_path / p).read_bytes()] == []


def test_the_report_says_how_to_do_it_again(exported):
    assert choice_of(exported[0]) == (CHOICE, len(DECISIONS))


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "yolo"])
def test_a_mask_that_is_changed_on_record_is_found_in_every_format(exported, name):
    task = DECISIONS[1].correction.annotation.task
    changed = decision(Verdict.REDRAWN, ~holed(), 2, task.image_url, task.expression)
    changed = replace(changed, image_digest=DECISIONS[1].image_digest)
    choice = replace(CHOICE, formats=[name])

    problems = validate(exported[0], choice, material(choice, [DECISIONS[0], changed, *DECISIONS[2:]]))

    assert problems[name]


@pytest.mark.parametrize("name", FORMATS)
def test_a_decision_that_is_missing_on_record_is_found_in_every_format(exported, name):
    choice = replace(CHOICE, formats=[name])

    problems = validate(exported[0], choice, material(choice, [DECISIONS[0], *DECISIONS[2:]]))

    assert problems[name]


def test_a_file_that_is_gone_is_a_sentence(exported, tmp_path):
    problems = validate(tmp_path, CHOICE, material())

    assert all(problems[name] for name in ("coco", "jsonl", "refcoco", "phrasecut", "huggingface", "yolo"))
    with pytest.raises(DatasetError, match="cannot be read"):
        choice_of(tmp_path)


def test_an_image_that_cannot_be_had_is_left_out_with_its_reason(tmp_path):
    def gone(task):
        if task.task_id == 1:
            raise ImageUnreachable("cannot fetch the image of task 1: Label Studio answered 404")
        return fetch(task)

    choice = Choice(formats=["huggingface"])
    written = write(material(choice, fetch=gone), choice, tmp_path)

    reasons = [one.reason for one in written["huggingface"].left_out]
    assert "cannot fetch the image of task 1: Label Studio answered 404" in reasons
    rows = pq.read_table(tmp_path / "huggingface" / "data" / "train-00000-of-00001.parquet").num_rows
    assert rows == len(DECISIONS) - 2


def test_only_some_verdicts_leave_the_others_out_of_the_records_too(tmp_path):
    choice = Choice(formats=["jsonl", "coco"], verdicts=["accepted"])
    written = write(material(choice), choice, tmp_path)

    assert len((tmp_path / "decisions.jsonl").read_text().splitlines()) == 1
    assert len(written["jsonl"].left_out) == len(DECISIONS) - 1
    assert validate(tmp_path, choice, material(choice)) == {"jsonl": [], "coco": []}


def test_images_are_written_once_under_the_names_that_the_formats_call_them(tmp_path):
    kept = material().samples

    assert write_pictures(kept, tmp_path, fetch) == []

    assert {p.name for p in tmp_path.iterdir()} == {s.file_name for s in kept}
    for sample in kept:
        with Image.open(Path(tmp_path / sample.file_name)) as picture:
            assert picture.size == sample.size[::-1]
