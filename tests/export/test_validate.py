"""Every format is written, read back and compared with the record; changed files are found."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from ris.core.types import Verdict
from ris.errors import DatasetError, ImageUnreachable
from ris.export.formats import EXPORT_FORMATS
from ris.export.run import REPORT_FILE, find_written_files, write_export, write_images
from ris.export.selection import ExportOptions
from ris.export.validate import VALIDATORS, read_export_options, validate_export
from tests.builders.decisions import (
    CHOICE,
    DECISIONS,
    SIZES,
    decision,
    fetch,
    make_difficult_mask,
    make_holed_mask,
    material,
    picture,
    with_digest,
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return folder, write_export(material(), CHOICE, folder)


def test_there_is_a_validator_for_every_format():
    assert set(VALIDATORS) == set(EXPORT_FORMATS)


def test_every_format_agrees_with_the_record(exported):
    folder, _ = exported

    assert validate_export(folder, CHOICE, material()) == {name: [] for name in EXPORT_FORMATS}


def test_counts_in_equal_counts_out_in_every_format(exported):
    folder, written = exported
    report = json.loads((folder / REPORT_FILE).read_text())

    assert report["decisions"] == len(DECISIONS)
    for name, done in written.items():
        told = report["formats"][name]
        assert told["written"] + len(told["left_out"]) == len(DECISIONS)
        assert len(told["left_out"]) == len(done.omissions)
        assert all(one["reason"] for one in told["left_out"])


def test_the_report_says_how_many_answers_are_not_understood(tmp_path):
    choice = ExportOptions(["jsonl"])
    write_export(material(choice), choice, tmp_path, not_understood=3)

    assert json.loads((tmp_path / REPORT_FILE).read_text())["not_understood"] == 3


def test_only_outlines_lose_something_and_it_is_measured(exported):
    _, written = exported

    assert {name for name, done in written.items() if done.loss} == {"yolo"}
    assert written["yolo"].loss.startswith("IoU with the masks: mean 0.")


def test_exporting_again_gives_the_same_bytes(exported, tmp_path):
    folder, _ = exported
    write_export(material(), CHOICE, tmp_path)

    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert [p for p in files if (folder / p).read_bytes() != (tmp_path / p).read_bytes()] == []


def test_the_report_says_how_to_do_it_again(exported):
    assert read_export_options(exported[0]) == (CHOICE, len(DECISIONS))


@pytest.mark.parametrize("name", [name for name in EXPORT_FORMATS if name != "yolo"])
def test_a_mask_that_is_changed_on_record_is_found_in_every_format(exported, name):
    task = DECISIONS[1].correction.annotation.task
    changed = decision(
        Verdict.REDRAWN, ~make_difficult_mask((9, 14), "one pixel"), 2, task.image_url, task.expression
    )
    changed = with_digest(changed)
    choice = replace(CHOICE, formats=[name])

    problems = validate_export(exported[0], choice, material(choice, [DECISIONS[0], changed, *DECISIONS[2:]]))

    assert problems[name]


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_a_decision_that_is_missing_on_record_is_found_in_every_format(exported, name):
    choice = replace(CHOICE, formats=[name])

    problems = validate_export(exported[0], choice, material(choice, [DECISIONS[0], *DECISIONS[2:]]))

    assert problems[name]


def test_a_file_that_is_gone_is_a_sentence(exported, tmp_path):
    problems = validate_export(tmp_path, CHOICE, material())

    assert all(problems[name] for name in ("coco", "jsonl", "refcoco", "phrasecut", "huggingface", "yolo"))
    with pytest.raises(DatasetError, match="cannot be read"):
        read_export_options(tmp_path)


def test_an_image_that_cannot_be_had_is_left_out_with_its_reason(tmp_path):
    def gone(task):
        if task.task_id == 1:
            raise ImageUnreachable("cannot fetch the image of task 1: Label Studio answered 404")
        return fetch(task)

    choice = ExportOptions(formats=["huggingface"])
    written = write_export(material(choice, fetch=gone), choice, tmp_path)

    reasons = [one.reason for one in written["huggingface"].omissions]
    # Two expressions of one image; it is fetched once.
    assert reasons.count("cannot fetch the image of task 1: Label Studio answered 404") == 2
    rows = pq.read_table(tmp_path / "huggingface" / "data" / "train-00000-of-00001.parquet").num_rows
    assert rows == len(DECISIONS) - 3


def test_only_some_verdicts_leave_the_others_out_of_the_records_too(tmp_path):
    choice = ExportOptions(formats=["jsonl", "coco"], verdicts=["accepted"])
    written = write_export(material(choice), choice, tmp_path)

    assert len((tmp_path / "decisions.jsonl").read_text().splitlines()) == 1
    assert len(written["jsonl"].omissions) == len(DECISIONS) - 1
    assert validate_export(tmp_path, choice, material(choice)) == {"jsonl": [], "coco": []}


def test_images_are_written_once_under_the_names_that_the_formats_call_them(tmp_path):
    made = material()

    files = find_written_files(made, CHOICE)
    assert not any(write_images(files, made.images, tmp_path / "images", fetch))

    written = {p.name for p in (tmp_path / "images").iterdir()}
    assert written == {s.file_name for s in made.samples}
    for sample in made.samples:
        with Image.open(Path(tmp_path / "images" / sample.file_name)) as opened:
            assert opened.size == sample.size[::-1]


def test_coco_names_the_files_that_are_written(exported, tmp_path):
    skipped = with_digest(
        decision(Verdict.SKIPPED, make_holed_mask(), 99, image="/data/upload/1/skipped.png")
    )
    choice = ExportOptions(formats=["coco", "refcoco"])
    made = material(choice, [*DECISIONS, skipped], fetch=lambda task: picture(task.image_url, size_of(task)))
    write_export(made, choice, tmp_path)

    files = find_written_files(made, choice)
    assert not any(write_images(files, made.images, tmp_path / "images", made.fetch))

    images = json.loads((tmp_path / "coco.json").read_text())["images"]
    assert {image["file_name"] for image in images} == {p.name for p in (tmp_path / "images").iterdir()}
    without = find_written_files(material(choice, [skipped]), replace(choice, formats=["refcoco"]))
    assert list(without) == []


def size_of(task):
    return SIZES.get(task.image_url, (9, 14))


def test_a_picture_that_was_replaced_since_is_not_written_under_the_masks_of_the_old_one(tmp_path):
    choice = ExportOptions(formats=["huggingface"])
    other = material(choice, DECISIONS[:1], fetch=lambda task: picture("another", (9, 14)))

    written = write_export(other, choice, tmp_path)
    files = find_written_files(other, choice)
    missing = list(write_images(files, other.images, tmp_path / "images", other.fetch))

    sentence = "the image of task 1 was replaced: it is not the one that was annotated"
    assert missing == [sentence]
    assert [one.reason for one in written["huggingface"].omissions] == [sentence]
    assert list((tmp_path / "images").iterdir()) == []
