"""Folders as published: pickles of Python 2, names with a suffix, two authors of splits."""

import json

import pytest

from ris.datasets.benchmark import PUBLISHED_COUNTS, make_count_warning, read_benchmark
from ris.errors import DatasetError
from tests.builders.refcoco import SIZE, ref, write

NAME = "COCO_train2014_000000581857.jpg"


def python_2_pickle(file_name, split):
    """The output of `pickle.dump(refs, file)` in Python 2: protocol 0, byte strings, one not ASCII."""
    return (
        "(lp0\n(dp1\nS'ref_id'\nI1\nsS'ann_id'\nI7\nsS'image_id'\nI3\nsS'category_id'\nI1\n"
        f"sS'file_name'\nS'{file_name}'\nsS'split'\nS'{split}'\n"
        "sS'sent_ids'\n(lp2\nI0\nasS'sentences'\n(lp3\n(dp4\n"
        "S'raw'\nS'the caf\\xe9, left'\nsS'sent'\nVthe cafe left\nsS'sent_id'\nI0\n"
        "sS'tokens'\n(lp5\nS'the'\naS'cafe'\naS'left'\nasasa."
    ).encode("ascii")


@pytest.fixture
def refcocog(tmp_path):
    folder = tmp_path / "refcocog"
    folder.mkdir()
    write(folder, [])
    (folder / "refs(unc).p").unlink()
    instances = json.loads((folder / "instances.json").read_text())
    instances["images"][0]["file_name"] = NAME
    (folder / "instances.json").write_text(json.dumps(instances))
    for split_by, split in (("google", "val"), ("umd", "test")):
        file = folder / f"refs({split_by}).p"
        file.write_bytes(python_2_pickle(NAME.replace(".jpg", "_16.jpg"), split))
    return folder


def test_a_published_folder_is_read_by_who_split_it(refcocog):
    found = read_benchmark(refcocog, "umd")

    assert (found.name, found.split_by, found.splits) == ("refcocog", "umd", ("test",))
    assert [(e.expression, e.size) for e in found.entries] == [("the café, left", SIZE)]


def test_the_annotation_in_a_refs_file_name_is_no_part_of_the_images_name(refcocog):
    assert read_benchmark(refcocog, "google").entries[0].image == NAME


def test_who_split_it_must_be_said_where_there_are_two_ways(refcocog):
    with pytest.raises(DatasetError, match="choose with --split-by one of google, umd"):
        read_benchmark(refcocog)
    with pytest.raises(DatasetError, match=r"no refs split by 'unc'; it has refs\(google\).p, refs\(umd\).p"):
        read_benchmark(refcocog, "unc")


def test_the_same_refs_as_pickle_and_as_json_are_one_way_to_split(tmp_path):
    write(tmp_path, [ref(7, "the box")])
    (tmp_path / "refs(unc).json").write_text("[]")

    found = read_benchmark(tmp_path)

    assert (found.split_by, len(found.entries)) == ("unc", 1)


def test_without_a_choice_every_split_but_the_trainings_is_tried(tmp_path):
    refs = [ref(7, "a", split=split) for split in ("train", "val", "testA")]
    write(tmp_path, refs)
    found = read_benchmark(tmp_path)

    assert found.choose_splits([]) == ("val", "testA")
    assert found.choose_splits(["train", "train"]) == ("train",)
    with pytest.raises(DatasetError, match="has no split test; choose with --split from train, val, testA"):
        found.choose_splits(["val", "test"])
    write(tmp_path, refs[:1])
    with pytest.raises(DatasetError, match="has no split but train"):
        read_benchmark(tmp_path).choose_splits([])


def test_phrasecut_is_a_benchmark_too(tmp_path):
    images = [{"image_id": 3, "height": SIZE[0], "width": SIZE[1], "url": "https://host/VG_100K/3.jpg"}]
    (tmp_path / "image_data_split3000.json").write_text(json.dumps(images))
    task = {
        "task_id": "3__1",
        "image_id": 3,
        "phrase": "box",
        "Polygons": [[[[2, 1], [8, 1], [8, 9], [2, 9]]]],
    }
    (tmp_path / "refer_miniv.json").write_text(json.dumps([task]))

    found = read_benchmark(tmp_path)

    assert (found.split_by, found.splits, found.entries[0].expression) == ("", ("miniv",), "box")


def test_a_folder_of_datasets_says_to_name_one(tmp_path):
    with pytest.raises(
        DatasetError, match="has neither instances.json nor .*; give the folder of one dataset"
    ):
        read_benchmark(tmp_path)


def test_a_part_of_a_published_split_is_told():
    assert make_count_warning("refcoco", "unc", "val", 10834) == ""
    assert make_count_warning("mine", "ris", "val", 3) == ""
    assert "has 12 expressions here and 9602 as published" in make_count_warning(
        "refcocog", "umd", "test", 12
    )
    assert len(PUBLISHED_COUNTS) == 9
