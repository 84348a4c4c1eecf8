import pytest

from ris.datasets.entry import get_field, read_json
from ris.errors import DatasetError


def test_a_file_that_is_no_json_is_a_sentence_with_its_name(tmp_path):
    (tmp_path / "a.json").write_text("{")

    with pytest.raises(DatasetError, match="a.json cannot be read as JSON"):
        read_json(tmp_path / "a.json")


def test_a_missing_field_names_its_record():
    assert get_field({"a": None}, "a", "ref 1") is None
    for record in ({}, None, [1]):
        with pytest.raises(DatasetError, match='ref 1 has no "a"'):
            get_field(record, "a", "ref 1")
