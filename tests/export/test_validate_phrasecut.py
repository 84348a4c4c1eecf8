"""Changes in PhraseCut's files are found."""

import json

import pytest

from ris.export.formats import EXPORT_FORMATS
from ris.export.validate_phrasecut import validate_phrasecut
from tests.builders.decisions import material


@pytest.fixture
def written(tmp_path):
    made = material()
    EXPORT_FORMATS["phrasecut"].write(made, tmp_path)
    return made, tmp_path


def problems(written, file, change):
    made, folder = written
    content = json.loads((folder / file).read_text())
    change(content)
    (folder / file).write_text(json.dumps(content))
    return list(validate_phrasecut(made, folder))


def test_files_of_several_splits_agree_as_they_were_written(written):
    made, folder = written

    assert len({sample.split for sample in made.samples if sample.mask is not None}) > 1
    assert list(validate_phrasecut(made, folder)) == []


def test_an_expression_that_is_lost_in_one_split_is_found(written):
    assert problems(written, "refer_train.json", lambda tasks: tasks.pop()) == [
        "train: 1 expressions in the files, 2 on record"
    ]


def test_a_split_that_is_not_on_record_is_found(written):
    made, folder = written
    (folder / "refer_more.json").write_text(json.dumps([{"task_id": "1"}]))

    assert list(validate_phrasecut(made, folder)) == ["more: 1 expressions in the files, 0 on record"]


def test_another_expression_and_another_count_are_found(written):
    found = problems(written, "refer_train.json", lambda tasks: tasks[0].update(phrase="the other mug"))

    assert len(found) == 1 and "its expression is 'the other mug'" in found[0]
    assert problems(written, "name_att_rel_count.json", lambda counts: counts["cat"].pop())[1:] == [
        "the counts in name_att_rel_count.json are not those of the phrases in the files"
    ]


def test_lists_of_images_that_differ_are_found(written):
    (found,) = problems(written, "image_data_split3000.json", lambda images: images[0].update(url="x"))

    assert found == "image_data_split.json and image_data_split3000.json differ"
