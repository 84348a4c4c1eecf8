"""Hand-made files in the layouts of RefCOCO and gRefCOCO, and what is refused."""

import json
import pickle

import pytest

from ris.core import rle
from ris.datasets.entry import LEFT_OUT, WITHOUT_MASK, Defect
from ris.datasets.refcoco import read_refs, scan_refs
from ris.errors import DatasetError
from tests.builders.refcoco import BOX, OTHER, POLYGON, SIZE, ref, write


def test_every_sentence_of_a_ref_is_an_entry_with_its_mask(tmp_path):
    write(tmp_path, [ref(7, "Left box", "the box"), ref(8, "other", split="testA")])

    entries = list(read_refs(tmp_path))

    assert [(e.expression, e.image, e.size, e.split) for e in entries] == [
        ("Left box", "a.jpg", SIZE, "val"),
        ("the box", "a.jpg", SIZE, "val"),
        ("other", "a.jpg", SIZE, "testA"),
    ]
    assert (rle.decode_rle(entries[0].mask) == BOX).all()
    assert (rle.decode_rle(entries[2].mask) == OTHER).all()


def test_grefcoco_has_several_targets_and_none(tmp_path):
    write(tmp_path, [ref([7, 8], "both"), ref([-1], "the dog", no_target=True)], as_pickle=False)

    both, none = read_refs(tmp_path)

    assert (rle.decode_rle(both.mask) == (BOX | OTHER)).all()
    assert (none.mask, none.has_referent) == (None, False)


def test_a_pickle_that_names_a_program_is_not_opened(tmp_path):
    write(tmp_path, [])
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps(exec))

    with pytest.raises(DatasetError, match="the pickle names builtins.exec"):
        list(read_refs(tmp_path))


@pytest.mark.parametrize(
    ("refs", "pattern"),
    [
        ([ref(99, "x")], "ref 1: instances.json has no annotation with its id"),
        ([ref(7, "x", image_id=4)], "ref 1: instances.json has no image with its id"),
        ([{"ref_id": 5}], 'ref 5: it has no "image_id"'),
        ({"a": 1}, "must hold a list of refs"),
    ],
)
def test_what_does_not_fit_together_is_named(tmp_path, refs, pattern):
    write(tmp_path, refs)

    with pytest.raises(DatasetError, match=pattern):
        list(read_refs(tmp_path))


def test_a_folder_without_refs_says_what_is_missing(tmp_path):
    with pytest.raises(DatasetError, match="instances.json cannot be read"):
        list(read_refs(tmp_path))
    write(tmp_path, [])
    (tmp_path / "refs(unc).p").unlink()
    with pytest.raises(DatasetError, match="has no refs"):
        list(read_refs(tmp_path))


def scanned(folder):
    """The entries, and the defects as (what, reason, outcome)."""
    read = list(scan_refs(folder))
    defects = [(one.what, one.reason, one.outcome) for one in read if isinstance(one, Defect)]
    return [one for one in read if not isinstance(one, Defect)], defects


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ([], "it has no segmentation"),
        (None, "it has no segmentation"),
        ([[1, 1, 9, 9]], "none of its polygons has three points"),
        ([[1, 1, 9, 9, float("nan"), 3]], "its polygons have coordinates that are not finite"),
        ({"size": [3, 3], "counts": [9]}, "its mask has size (3, 3), its image (12, 20)"),
    ],
)
def test_an_object_without_a_mask_that_can_be_read_keeps_its_words_and_stops_nobody(
    tmp_path, segmentation, reason
):
    write(tmp_path, [ref(7, "bad"), ref(8, "good", ref_id=2)], masks={7: segmentation, 8: POLYGON})

    entries, defects = scanned(tmp_path)

    assert defects == [("ref 1", reason, WITHOUT_MASK)]
    assert [(e.expression, e.mask is None, e.has_referent) for e in entries] == [
        ("bad", True, True),
        ("good", False, True),
    ]


def test_of_several_annotations_none_is_used_when_one_cannot_be_read(tmp_path):
    write(tmp_path, [ref([7, 8], "both")], as_pickle=False, masks={7: [], 8: POLYGON})

    entries, defects = scanned(tmp_path)

    assert [(e.mask, e.has_referent) for e in entries] == [(None, True)]
    assert defects == [("ref 1", "it has no segmentation", WITHOUT_MASK)]


def test_a_ref_that_cannot_be_used_is_left_out_alone(tmp_path):
    sentences = ["no object", {"raw": "  "}, {"raw": "half \ud83d"}, {"sent": 7}]
    write(
        tmp_path,
        [ref(7, "x", image_id=4), ref(7, ref_id=2, sentences=sentences), ref(8, "good", ref_id=3)],
        as_pickle=False,
    )

    entries, defects = scanned(tmp_path)

    assert [e.expression for e in entries] == ["7", "good"]
    assert {outcome for _, _, outcome in defects} == {LEFT_OUT}
    assert [(what, reason) for what, reason, _ in defects] == [
        ("ref 1", "instances.json has no image with its id"),
        ("ref 2", "a sentence is not an object"),
        ("ref 2", "its expression is empty"),
        ("ref 2", "its expression has half of a character (a lone surrogate)"),
    ]


def test_an_id_is_the_same_as_a_number_and_as_text(tmp_path):
    write(tmp_path, [ref(["7"], "x", image_id="3"), ref("-1", "none", image_id=3.0)], as_pickle=False)

    entries, defects = scanned(tmp_path)

    assert defects == []
    assert [(e.has_referent, e.mask is None) for e in entries] == [(True, False), (False, True)]


def test_an_id_that_two_annotations_have_gives_neither_mask(tmp_path):
    write(tmp_path, [ref(7, "x")])
    instances = json.loads((tmp_path / "instances.json").read_text())
    instances["annotations"].append({"id": 7, "image_id": 3, "segmentation": [[1, 1, 5, 1, 5, 5]]})
    (tmp_path / "instances.json").write_text(json.dumps(instances))

    assert scanned(tmp_path)[1] == [
        ("ref 1", "instances.json has several annotations with its id", WITHOUT_MASK)
    ]


def test_an_annotation_of_another_image_is_no_mask(tmp_path):
    write(tmp_path, [ref(7, "x")])
    instances = json.loads((tmp_path / "instances.json").read_text())
    instances["annotations"][0]["image_id"] = 4
    (tmp_path / "instances.json").write_text(json.dumps(instances))

    assert scanned(tmp_path)[1] == [("ref 1", "its annotation belongs to another image", WITHOUT_MASK)]


@pytest.mark.parametrize("size", [{"height": "12", "width": 20.0}, {}])
def test_the_size_may_be_text_or_come_from_the_run_lengths(tmp_path, size):
    write(tmp_path, [ref(8, "x")])
    instances = json.loads((tmp_path / "instances.json").read_text())
    instances["images"] = [{"id": 3, "file_name": "images\\a.jpg", **size}]
    (tmp_path / "instances.json").write_text(json.dumps(instances))

    entries, defects = scanned(tmp_path)

    assert (defects, entries[0].size, entries[0].image) == ([], SIZE, "images/a.jpg")
    assert (rle.decode_rle(entries[0].mask) == OTHER).all()


def test_only_the_marks_of_grefcoco_say_that_there_is_no_target(tmp_path):
    refs = [
        ref([], "no mark"),
        ref([], "marked", no_target=True, ref_id=2),
        ref([-1], "by number", ref_id=3),
        ref([7], "both", no_target=True, ref_id=4),
        ref([-1], "neither", no_target=False, ref_id=5),
        ref(7, "one", no_target=False, ref_id=6),
        ref(7, ref_id=7),
    ]
    write(tmp_path, refs, as_pickle=False)

    entries, defects = scanned(tmp_path)

    assert [(e.expression, e.has_referent, e.mask is None) for e in entries] == [
        ("no mark", True, True),
        ("marked", False, True),
        ("by number", False, True),
        ("one", True, False),
    ]
    assert defects == [
        ("ref 1", "it names no annotation", WITHOUT_MASK),
        ("ref 4", 'it has both "no_target" and an annotation', LEFT_OUT),
        ("ref 5", 'its annotation is -1, but its "no_target" is not true', LEFT_OUT),
        ("ref 7", "it has no sentences", LEFT_OUT),
    ]
