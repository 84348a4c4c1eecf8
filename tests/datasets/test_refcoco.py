"""Files as the field's own, made by hand, and what is refused."""

import json
import pickle

import numpy as np
import pytest
from pycocotools import mask as coco

from backend.core import rle
from backend.datasets.refcoco import decoded, read_refs
from backend.errors import DatasetError
from tests.build import rectangle

SIZE = (12, 20)
BOX, OTHER = rectangle(SIZE, 2, 1, 8, 9), rectangle(SIZE, 12, 3, 18, 10)
POLYGON = [[2, 1, 8, 1, 8, 9, 2, 9]]


def compressed(mask):
    code = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(mask.shape), "counts": code["counts"].decode()}


def write(folder, refs, *, as_pickle=True, masks=None):
    masks = masks or {7: POLYGON, 8: compressed(OTHER)}
    instances = {
        "images": [{"id": 3, "file_name": "a.jpg", "height": SIZE[0], "width": SIZE[1]}],
        "annotations": [{"id": i, "image_id": 3, "segmentation": s} for i, s in masks.items()],
        "categories": [],
    }
    (folder / "instances.json").write_text(json.dumps(instances))
    if as_pickle:
        (folder / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=2))
    else:
        (folder / "grefs(unc).json").write_text(json.dumps(refs))


def ref(annotation=7, *words, **more):
    sentences = [
        {"sent_id": i, "raw": w, "sent": w.lower(), "tokens": w.split()} for i, w in enumerate(words)
    ]
    return {"ref_id": 1, "ann_id": annotation, "image_id": 3, "split": "val", "sentences": sentences} | more


def test_every_sentence_of_a_ref_is_an_entry_with_its_mask(tmp_path):
    write(tmp_path, [ref(7, "Left box", "the box"), ref(8, "other", split="testA")])

    entries = list(read_refs(tmp_path))

    assert [(e.expression, e.image, e.size, e.split) for e in entries] == [
        ("Left box", "a.jpg", SIZE, "val"),
        ("the box", "a.jpg", SIZE, "val"),
        ("other", "a.jpg", SIZE, "testA"),
    ]
    assert (rle.decode(entries[0].mask) == BOX).all()
    assert (rle.decode(entries[2].mask) == OTHER).all()


def test_grefcoco_has_several_targets_and_none(tmp_path):
    write(tmp_path, [ref([7, 8], "both"), ref([-1], "the dog", no_target=True)], as_pickle=False)

    both, none = read_refs(tmp_path)

    assert (rle.decode(both.mask) == (BOX | OTHER)).all()
    assert (none.mask, none.has_referent) == (None, False)


@pytest.mark.parametrize(
    ("segmentation", "wanted"),
    [
        (POLYGON, BOX),
        (compressed(OTHER), OTHER),
        ([compressed(BOX), compressed(OTHER)], BOX | OTHER),
        ({"size": list(SIZE), "counts": [240]}, np.zeros(SIZE, np.bool_)),
    ],
    ids=["polygon", "compressed", "a list of them", "uncompressed"],
)
def test_segmentations_of_every_kind_are_read(segmentation, wanted):
    assert (rle.decode(decoded(segmentation, SIZE, "ref 1")) == wanted).all()


@pytest.mark.parametrize(
    ("segmentation", "pattern"),
    [
        ({"size": [3, 3], "counts": [9]}, r"mask of \(3, 3\), its image is \(12, 20\)"),
        ([[1, 2]], "cannot be read"),
        ({}, "cannot be read"),
        ("x", "cannot be read"),
    ],
)
def test_segmentations_that_cannot_be_are_refused(segmentation, pattern):
    with pytest.raises(DatasetError, match=f"ref 1 has a .*{pattern}"):
        decoded(segmentation, SIZE, "ref 1")


def test_a_pickle_that_names_a_program_is_not_opened(tmp_path):
    write(tmp_path, [])
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps(exec))

    with pytest.raises(DatasetError, match="the pickle names builtins.exec"):
        list(read_refs(tmp_path))


@pytest.mark.parametrize(
    ("refs", "pattern"),
    [
        ([ref(99, "x")], "no annotation 99"),
        ([ref(7, "x", image_id=4)], "no image 4"),
        ([{"ref_id": 5}], 'ref 5 has no "image_id"'),
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
