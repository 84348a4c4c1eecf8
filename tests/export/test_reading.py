import json

import pytest

from ris.errors import DatasetError
from ris.export.reading import (
    RepeatedPairs,
    StoredAnswers,
    StoredRecords,
    compute_file_digest,
    count_lines,
    has_equal_bytes,
    read_items,
    read_lines,
)


def test_the_items_of_a_list_are_read_one_by_one(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"n": 2, "items": [{"a": 1.5}, {"a": 2**60}], "other": [3]}))

    assert list(read_items(path, "items.item")) == [{"a": 1.5}, {"a": 2**60}]
    assert list(read_items(path, "n")) == [2]
    assert list(read_items(path, "nothing.item")) == []


@pytest.mark.parametrize("content", [b"", b"[1, 2", b"[1] x", b"\xff\xfe", b'["\xff"]', b"[NaN]"])
def test_a_file_that_is_not_json_is_a_sentence(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(DatasetError, match=r"a\.json cannot be read as JSON: [^\n]+$"):
        list(read_items(path, "item"))


def test_a_file_that_is_gone_is_a_sentence(tmp_path):
    for read in (
        lambda path: list(read_items(path, "item")),
        lambda path: list(read_lines(path)),
        count_lines,
        compute_file_digest,
        lambda path: StoredRecords(path, "item", "id", "image"),
    ):
        with pytest.raises(DatasetError, match="gone cannot be read"):
            read(tmp_path / "gone")


def test_lines_end_at_line_feeds_alone(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"a": "x\x85y\u2028z"}\n{"a": 1}\n'.encode())

    assert list(read_lines(path)) == [{"a": "x\x85y\u2028z"}, {"a": 1}]
    assert count_lines(path) == 2


def test_a_line_that_is_not_json_is_a_sentence(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}\n{\n")

    with pytest.raises(DatasetError, match="a.jsonl cannot be read"):
        list(read_lines(tmp_path / "a.jsonl"))


def test_files_are_equal_if_every_byte_is(tmp_path):
    one, two, three = (tmp_path / name for name in "abc")
    one.write_bytes(b"x" * 3_000_000)
    two.write_bytes(b"x" * 3_000_000)
    three.write_bytes(b"x" * 3_000_000 + b"y")

    assert has_equal_bytes(one, two)
    assert not has_equal_bytes(one, three)
    with pytest.raises(DatasetError, match="gone cannot be read"):
        has_equal_bytes(one, tmp_path / "gone")


def test_a_pair_is_repeated_from_the_second_time_on():
    pairs = RepeatedPairs()
    pairs.add("a", "b")
    assert not pairs.has("a", "b")
    pairs.add("a", "b")

    assert pairs.has("a", "b")
    assert not pairs.has("b", "a")


def test_an_answer_is_taken_once_and_the_rest_is_told():
    answers = StoredAnswers()
    answers.add("1", 4, [{"id": "x"}])
    answers.add("1", 5, [])

    assert answers.take("1", 4) == [{"id": "x"}]
    assert answers.take("1", 4) is None
    assert answers.take("2", 5) is None
    assert list(answers.read_rest()) == [5]


def test_records_are_found_by_id_whatever_its_type(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": [{"id": 7, "name": "a"}, {"id": "x", "name": "b"}]}))
    images = StoredRecords(path, "images.item", "id", "image")

    assert images.find("7") == images.find(7.0) == {"id": 7, "name": "a"}
    assert images.find("x")["name"] == "b"
    with pytest.raises(DatasetError, match=r"^a\.json has no image with its id$"):
        images.find(8)


def test_two_records_with_one_id_are_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"id": 7}, {"id": 7}]))

    with pytest.raises(DatasetError, match="a.json has several images with the id 7"):
        StoredRecords(path, "item", "id", "image")
