"""RefCOCO and gRefCOCO, read back by strict re-implementations of their readers."""

import json
import pickle

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco

from ris.core.types import Verdict
from ris.export.refcoco import to_plain_words, write_grefcoco, write_refcoco
from tests.builders.decisions import ALL, decision, make_holed_mask
from tests.builders.exported import collect_omissions, make_samples


class Refer:
    """The loader and getMask of REFER, without their fallbacks."""

    def __init__(self, folder, refs):
        self.refs = {ref["ref_id"]: ref for ref in refs}
        instances = json.loads((folder / "instances.json").read_text())
        self.images = {image["id"]: image for image in instances["images"]}
        self.annotations = {ann["id"]: ann for ann in instances["annotations"]}
        self.categories = {cat["id"]: cat["name"] for cat in instances["categories"]}
        for ref in refs:
            assert ref["image_id"] in self.images
            assert [s["sent_id"] for s in ref["sentences"]] == ref["sent_ids"]
            assert all(s["tokens"] == s["sent"].split() for s in ref["sentences"])

    def mask(self, ref, ann_id):
        annotation, image = self.annotations[ann_id], self.images[ref["image_id"]]
        segmentation = annotation["segmentation"]
        if isinstance(segmentation[0], list):
            segmentation = coco.frPyObjects(segmentation, image["height"], image["width"])
        decoded = np.sum(coco.decode(segmentation), axis=2)
        assert decoded.shape == (image["height"], image["width"])
        assert decoded.sum() == annotation["area"]
        return decoded.astype(bool)


def refcoco(folder, found):
    kept, _ = make_samples(found)
    omissions = collect_omissions(lambda omit: write_refcoco(kept, folder, omit))
    refs = pickle.loads((folder / "refs(ris).p").read_bytes())
    assert refs == json.loads((folder / "refs(ris).json").read_text())
    return Refer(folder, refs), omissions


def test_every_referent_comes_back_pixel_for_pixel(tmp_path):
    reader, omissions = refcoco(tmp_path, ALL)

    masks = [reader.mask(ref, ref["ann_id"]) for ref in reader.refs.values()]

    assert (masks[0] == make_holed_mask()).all()
    assert (masks[1] == np.eye(9, 14)).all()
    assert [one.reason for one in omissions] == ["RefCOCO has no place for an expression without a referent"]


def test_grefcoco_says_that_there_is_no_target(tmp_path):
    kept, _ = make_samples(ALL)

    assert collect_omissions(lambda omit: write_grefcoco(kept, tmp_path, omit)) == []

    refs = json.loads((tmp_path / "grefs(ris).json").read_text())
    reader = Refer(tmp_path, refs)
    assert [ref["no_target"] for ref in refs] == [False, True, False]
    assert refs[1]["ann_id"] == refs[1]["category_id"] == [-1]
    assert (reader.mask(refs[2], refs[2]["ann_id"][0]) == np.eye(9, 14)).all()


def test_an_image_stands_once_however_many_expressions_it_has(tmp_path):
    reader, _ = refcoco(tmp_path, ALL)

    assert len(reader.images) == 1
    assert len(reader.refs) == 2


def test_words_are_kept_raw_and_plain(tmp_path):
    reader, _ = refcoco(
        tmp_path, [decision(Verdict.ACCEPTED, make_holed_mask(), expression="The man's LEFT mug!")]
    )

    (sentence,) = reader.refs[1]["sentences"]
    assert (sentence["raw"], sentence["sent"]) == ("The man's LEFT mug!", "the man s left mug")
    assert to_plain_words("  ") == ""
    assert to_plain_words("左のカップ。") == "左のカップ"


def test_marks_that_belong_to_letters_stay_and_no_expression_is_without_a_word():
    assert to_plain_words("बायाँ कप, लाल!") == "बायाँ कप लाल"
    assert to_plain_words("แก้วน้ำ") == "แก้วน้ำ"
    assert to_plain_words("🦉") == "🦉"
    assert to_plain_words("a\x00b\ud83dc") == "a b c"


def test_writing_twice_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        refcoco(tmp_path / name, ALL)

    for file in ("refs(ris).p", "refs(ris).json", "instances.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@settings(max_examples=60)
@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_any_mask_comes_back(tmp_path_factory, mask):
    mask[0, 0] = True

    reader, _ = refcoco(tmp_path_factory.mktemp("any"), [decision(Verdict.REDRAWN, mask)])

    assert (reader.mask(reader.refs[1], 1) == mask).all()
