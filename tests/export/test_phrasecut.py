import json

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.core import rle
from backend.core.types import Verdict
from backend.datasets.phrasecut import read_phrasecut
from backend.export.dataset import samples
from backend.export.phrasecut import write_phrasecut
from tests.export.test_exports import ALL, decision


def test_each_split_is_a_file_and_what_has_no_referent_is_left_out_with_its_reason(tmp_path):
    kept, _ = samples(ALL)

    left_out = write_phrasecut(kept, tmp_path)

    assert [one.reason for one in left_out] == ["PhraseCut has no place for an expression without a referent"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "image_data_split3000.json", "name_att_rel_count.json", "refer_train.json",
    ]  # fmt: skip
    (image,) = json.loads((tmp_path / "image_data_split3000.json").read_text())
    assert (image["height"], image["width"], image["split"]) == (9, 14, "train")


@given(mask=arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 14)).map(tuple)))
def test_every_mask_comes_back_through_the_loaders_own_drawing(tmp_path_factory, mask):
    folder = tmp_path_factory.mktemp("phrasecut")
    mask[0, 0] = True
    kept, _ = samples([decision(Verdict.REDRAWN, mask)])

    write_phrasecut(kept, folder)

    (entry,) = read_phrasecut(folder)
    assert (rle.decode(entry.mask) == mask).all()
