import pyarrow.parquet as pq
import pytest

from ris.batch import entries
from ris.batch.entries import read_entries, write_entries

ENTRIES = [
    {"id": 1, "data": {"image": "a", "note": "half \ud83d", "x": None}},
    {"id": "x7", "data": {}},
    {"data": {"ü": [1, 2.5, True]}},
    {"id": 2**70, "data": {}},
]


def test_tasks_come_back_as_they_were(tmp_path):
    path = tmp_path / "t.parquet"

    assert write_entries(path, iter(ENTRIES)) == 4
    assert list(read_entries(path)) == ENTRIES
    assert pq.read_table(path)["id"].to_pylist() == [1, None, None, None]


@pytest.mark.parametrize(("name", "limit"), [("_ENTRIES_PER_WRITE", 2), ("_CHARACTERS_PER_WRITE", 60)])
def test_tasks_are_written_and_read_some_at_a_time(tmp_path, monkeypatch, name, limit):
    monkeypatch.setattr(entries, name, limit)
    path = tmp_path / "t.parquet"

    write_entries(path, iter(ENTRIES))

    assert pq.read_metadata(path).num_row_groups == 2
    assert list(read_entries(path)) == ENTRIES


def test_no_task_is_a_file_too(tmp_path):
    assert write_entries(tmp_path / "t.parquet", []) == 0
    assert list(read_entries(tmp_path / "t.parquet")) == []
