"""The stages of the Ray engine, called as Ray Data calls them, without Ray."""

import pickle

import numpy as np
import pytest

from ris.batch.cluster_stages import FetchStage, LabelStage, read_manifest_rows
from ris.batch.guard import MAX_WORKER_LOSSES, make_loss_sentence
from ris.batch.manifest import ManifestWriter, list_manifest_files
from ris.batch.marks import LossMarks
from ris.batch.plan import Block, group_tasks
from ris.batch.shard import find_shards, read_shard_rows
from tests.batch.fakes import MAKE, MAKE_FETCHER, MAKE_NOTHING, tasks


def make_block(*images):
    return Block(tuple(group_tasks(tasks(*images))), "fake-1")


def to_batch(row):
    """One row by column, as Ray Data gives it."""
    columns = {name: np.empty(1, object) for name in row}
    for name, value in row.items():
        columns[name][0] = value
    return columns


def read_batch(tmp_path, block):
    """Write the manifest of one block and read it as Ray Data does."""
    with ManifestWriter() as writer:
        writer.add(task for group in block.groups for task in group.tasks)
        writer.write(tmp_path, block.version)
    (path,) = list_manifest_files(tmp_path)
    (row,) = read_manifest_rows({"path": str(path)})
    return to_batch(row)


@pytest.fixture
def folders(tmp_path):
    found = tmp_path / "shards", tmp_path / "marks"
    for folder in found:
        folder.mkdir()
    return found


def run(block, folders):
    """Return the failures in the block's shard, by image."""
    fetch = FetchStage(MAKE_FETCHER, 60)
    label = LabelStage(MAKE, 60, *folders)
    fetched = fetch(read_batch(folders[0].parent / "manifest", block))
    answer = label({"fetched": fetched["fetched"]})
    version, rows = read_shard_rows(folders[0] / f"{block.name}.parquet")
    assert pickle.loads(answer["outcome"][0]).path == folders[0] / f"{block.name}.parquet"
    assert version == "fake-1"
    return {row["image"]: row["tasks"][0]["failure"] for row in rows}


def test_a_block_becomes_a_shard_and_leaves_no_mark(folders):
    failures = run(make_block("a", "gone"), folders)

    assert failures == {"a": "", "gone": "cannot fetch the image of task 2: Label Studio answered 404"}
    assert list(folders[1].iterdir()) == []


def test_an_image_that_a_worker_was_lost_with_too_often_fails_and_its_block_does_not(folders):
    block = make_block("a", "b", "c")
    marks = LossMarks(folders[1])
    marks.begin(block.name)
    for _ in range(MAX_WORKER_LOSSES):
        marks.begin(f"{block.name}.1")
    for _ in range(MAX_WORKER_LOSSES - 1):
        marks.begin(f"{block.name}.2")

    assert run(block, folders) == {"a": "", "b": make_loss_sentence(), "c": ""}
    assert list(folders[1].iterdir()) == []


def test_a_stage_that_cannot_be_made_gives_its_reason_to_the_engine(folders):
    batch = read_batch(folders[0].parent / "manifest", make_block("a"))
    failing_fetch, failing_label = FetchStage(MAKE_NOTHING, 60), LabelStage(MAKE_NOTHING, 60, *folders)
    fetch, label = FetchStage(MAKE_FETCHER, 60), LabelStage(MAKE, 60, *folders)

    outcomes = [pickle.loads(label(failing_fetch(batch))["outcome"][0]),
                pickle.loads(failing_label(fetch(batch))["outcome"][0])]  # fmt: skip

    assert [str(outcome) for outcome in outcomes] == [
        "the model file x is missing; install the package again"
    ] * 2
    assert find_shards(folders[0]) == []
