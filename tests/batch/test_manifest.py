import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from ris.batch import manifest
from ris.batch.manifest import (
    ManifestWriter,
    from_manifest_row,
    list_manifest_files,
    read_blocks,
    to_manifest_row,
)
from ris.batch.plan import Block, TaskGroup
from ris.core.types import Task
from tests.batch.fakes import tasks


def write(folder, asked, n_images=1):
    with ManifestWriter() as writer:
        writer.add(asked)
        writer.write(folder, "v", images_per_block=n_images)
        assert writer.n_tasks == len(asked)
    return list(read_blocks(folder))


def test_tasks_of_one_image_go_together_in_the_order_of_their_images(tmp_path):
    first, second, third, fourth = tasks("b", "a", "b", "c")

    assert write(tmp_path, [first, second, third, fourth], n_images=2) == [
        Block((TaskGroup("b", (first, third)), TaskGroup("a", (second,))), "v"),
        Block((TaskGroup("c", (fourth,)),), "v"),
    ]


def test_a_manifest_has_files_of_a_limited_size_and_replaces_an_earlier_one(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "BLOCKS_PER_FILE", 2)
    monkeypatch.setattr(manifest, "MAX_CHARACTERS_PER_FILE", 5)
    write(tmp_path, tasks(*"abcdefg"))

    found = write(tmp_path, tasks("a", "b", "long image", "c"))

    assert [block.groups[0].image_url for block in found] == ["a", "b", "long image", "c"]
    assert [pq.read_metadata(path).num_rows for path in list_manifest_files(tmp_path)] == [2, 1, 1]


def test_no_task_makes_no_file(tmp_path):
    assert write(tmp_path / "new", []) == []
    assert list_manifest_files(tmp_path / "new") == []


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(TEXTS, TEXTS, st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), TEXTS), min_size=1))
def test_a_row_of_the_manifest_is_its_block(image, version, asked):
    group = TaskGroup(image, tuple(Task(number, "1.2", image, words) for number, words in asked))
    block = Block((group, group), version)

    assert from_manifest_row(to_manifest_row(block)) == block
