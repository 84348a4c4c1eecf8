import json

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ris.core import rle
from ris.core.types import Verdict
from ris.datasets.phrasecut import read_phrasecut
from ris.export.phrasecut import write_phrasecut
from tests.builders.decisions import ALL, decision, make_holed_mask, parse
from tests.builders.exported import collect_omissions, make_samples


def test_each_split_is_a_file_and_what_has_no_referent_is_left_out_with_its_reason(tmp_path):
    kept, _ = make_samples(ALL)

    omissions = collect_omissions(lambda omit: write_phrasecut(kept, tmp_path, parse, omit))

    assert [one.reason for one in omissions] == [
        "PhraseCut has no place for an expression without a referent"
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "image_data_split.json", "image_data_split3000.json", "name_att_rel_count.json", "refer_miniv.json",
        "refer_test.json", "refer_train.json", "refer_val.json",
    ]  # fmt: skip
    (image,) = json.loads((tmp_path / "image_data_split3000.json").read_text())
    assert (image["height"], image["width"], image["split"]) == (9, 14, "train")
    assert json.loads((tmp_path / "image_data_split.json").read_text()) == [image]


def test_no_samples_make_files_that_can_be_read(tmp_path):
    assert collect_omissions(lambda omit: write_phrasecut([], tmp_path, parse, omit)) == []

    assert list(read_phrasecut(tmp_path)) == []


def test_phrases_are_taken_apart_and_counted(tmp_path):
    words = ["the small mug on the table", "the left mug", "the mug", "the left mug"]
    kept, _ = make_samples(
        [decision(Verdict.ACCEPTED, make_holed_mask(), i, expression=w) for i, w in enumerate(words)]
    )

    collect_omissions(lambda omit: write_phrasecut(kept, tmp_path, parse, omit))

    tasks = json.loads((tmp_path / "refer_train.json").read_text())
    assert tasks[0]["phrase_structure"] == {
        "name": "mug", "attributes": ["small"], "relation_ids": [],
        "relation_descriptions": [["on", "table"]], "type": "relation",
    }  # fmt: skip
    assert [task["phrase_structure"]["type"] for task in tasks[1:]] == ["attribute", "name", "attribute"]
    assert json.loads((tmp_path / "name_att_rel_count.json").read_text()) == {
        "cat": [["mug", 4]], "att": [["left", 2], ["small", 1]], "rel": [["on", 1]],
    }  # fmt: skip


def test_each_distinct_expression_is_parsed_once(tmp_path):
    asked = []
    kept, _ = make_samples(
        [decision(Verdict.ACCEPTED, make_holed_mask(), i, expression="the mug") for i in range(3)]
    )

    count = lambda words: asked.append(words) or parse(words)  # noqa: E731
    collect_omissions(lambda omit: write_phrasecut(kept, tmp_path, count, omit))

    assert asked == ["the mug"]


@given(mask=arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 14)).map(tuple)))
def test_every_mask_comes_back_through_the_loaders_own_drawing(tmp_path_factory, mask):
    folder = tmp_path_factory.mktemp("phrasecut")
    mask[0, 0] = True
    kept, _ = make_samples([decision(Verdict.REDRAWN, mask)])

    collect_omissions(lambda omit: write_phrasecut(kept, folder, parse, omit))

    (entry,) = read_phrasecut(folder)
    assert (rle.decode_rle(entry.mask) == mask).all()
    (task,) = json.loads((folder / "refer_train.json").read_text())
    assert all(len(polygon) >= 3 for polygon in task["Polygons"][0])  # some readers take two points for a box
