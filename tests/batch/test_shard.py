import pytest

from ris.batch.plan import group_tasks
from ris.batch.shard import SHARD_SCHEMA, find_shards, read_shard_rows, remove_unfinished_shards, write_shard
from ris.batch.work import make_failed_result
from ris.core import rle
from ris.errors import SettingsError
from tests.batch.fakes import MAKE, fetch, tasks


def compute(*images):
    labeller = MAKE()
    return [labeller((group, fetch(group.tasks[0]))) for group in group_tasks(tasks(*images))]


def test_a_shard_has_everything_that_was_computed(tmp_path):
    (result,) = compute("a", "a")
    failed = make_failed_result(next(group_tasks(tasks("gone"))), "it is gone")

    path = write_shard(tmp_path, "name", "fake-1", [result, failed])
    version, (row, other) = read_shard_rows(path)

    reference = result.references[0]
    assert (path, version) == (tmp_path / "name.parquet", "fake-1")
    assert (row["image"], row["digest"], (row["height"], row["width"])) == ("a", result.digest, result.size)
    assert row["masks"] == [rle.to_string(mask) for mask in result.masks]
    assert [one["task"] for one in row["tasks"]] == [1, 2]
    assert [
        (one["rank"], one["score"], one["counts"], tuple(one["box"]))
        for one in row["tasks"][0]["suggestions"]
    ] == [(s.rank, s.score, rle.to_string(s.mask), s.box) for s in reference.suggestions]
    assert [one["methods"] for one in row["tasks"][0]["suggestions"]] == [
        [{"method": name, "score": m.score, "rank": m.rank} for name, m in s.methods.items()]
        for s in reference.suggestions
    ]
    assert [(one["method"], one["scores"]) for one in row["tasks"][0]["scores"]] == [
        (m.method, m.scores.tolist()) for m in reference.scores
    ]
    assert (other["digest"], other["masks"]) == ("", [])
    assert other["tasks"] == [
        {"task": 1, "project": "1.1", "expression": "the red", "failure": "it is gone", "suggestions": [],
         "scores": [], "late": []}
    ]  # fmt: skip


def test_a_shard_is_there_when_it_is_complete_and_leaves_nothing_else(tmp_path):
    write_shard(tmp_path, "b", "v", compute("a"))
    write_shard(tmp_path, "a", "v", compute("a"))
    write_shard(tmp_path, "a", "v", compute("a"))

    assert (
        sorted(tmp_path.iterdir())
        == find_shards(tmp_path)
        == [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    )


def test_what_a_killed_writer_left_is_no_shard_and_is_removed(tmp_path):
    (tmp_path / "a.0.part").write_bytes(b"half")

    assert find_shards(tmp_path) == []
    remove_unfinished_shards(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_a_worker_does_not_have_is_a_sentence(tmp_path):
    with pytest.raises(SettingsError, match=r"a\.parquet cannot be written: No such file.*folder of --work"):
        write_shard(tmp_path / "none", "a", "v", compute("a"))


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and no more"])
def test_what_is_no_shard_is_a_sentence(tmp_path, content):
    path = tmp_path / "a.parquet"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"a\.parquet is not a shard that can be read"):
        read_shard_rows(path)


def test_the_columns_of_a_shard_are_those_that_the_documentation_lists():
    assert SHARD_SCHEMA.names == ["image", "digest", "height", "width", "masks", "tasks"]
