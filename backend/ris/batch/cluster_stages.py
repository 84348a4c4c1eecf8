"""The stages of the Ray engine: classes whose objects live in actors of Ray Data. This module needs no Ray.

A batch is one row, by column, and the row is a block of the manifest. Columns of Python objects are pickled
here, so that Ray sees bytes.
"""

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ris.batch.engine import (
    FetcherMaker,
    FinishedShard,
    LabellerMaker,
    label_group,
    make_fetcher_process,
    make_labeller_process,
)
from ris.batch.guard import make_loss_sentence
from ris.batch.manifest import from_manifest_row, read_manifest_file
from ris.batch.marks import LossMarks, is_deadly
from ris.batch.plan import Block, TaskGroup
from ris.batch.shard import write_shard
from ris.batch.work import GroupResult, make_failed_result
from ris.core.types import Image
from ris.errors import BackendError

Batch = Mapping[str, NDArray[Any]]


def read_manifest_rows(row: Mapping[str, Any]) -> Iterator[dict[str, bytes]]:
    """Yield the blocks of a file of the manifest, pickled; memory does not grow with the file."""
    for each in read_manifest_file(Path(row["path"])):
        yield {"block": pickle.dumps(from_manifest_row(each), protocol=5)}


class FetchStage:
    """Fetches and decodes the images of a block.

    Args:
        make: makes the function that fetches images.
        limit_s: the longest time for one image, in seconds.
    """

    def __init__(self, make: FetcherMaker, limit_s: float) -> None:
        self._fetcher = make_fetcher_process(make, limit_s)

    def __call__(self, batch: Batch) -> dict[str, list[bytes]]:
        """Add the images to a block: its column `fetched` is a pickled pair of the block and its images.

        It is a BackendError where the function that fetches cannot be made.
        """
        block: Block = pickle.loads(batch["block"][0])
        try:
            fetched: Any = block, [self._fetcher.call(group) for group in block.groups]
        except BackendError as error:
            fetched = error
        return {"fetched": [pickle.dumps(fetched, protocol=5)]}


class LabelStage:
    """Runs the networks on the images of a block, and writes its shard.

    Args:
        make: makes the function that runs the networks.
        limit_s: the longest time for one image, in seconds.
        shards: folder of the shards.
        marks: folder of the marks of what is in work.
    """

    def __init__(self, make: LabellerMaker, limit_s: float, shards: Path, marks: Path) -> None:
        self._labeller = make_labeller_process(make, limit_s)
        self._shards, self._marks = shards, LossMarks(marks)

    def __call__(self, batch: Batch) -> dict[str, list[bytes]]:
        """Write a shard; the column `outcome` is a pickled FinishedShard.

        It is a BackendError where there is none. Raised here, Ray would pass on only its text.
        """
        fetched = pickle.loads(batch["fetched"][0])
        try:
            outcome = fetched if isinstance(fetched, BackendError) else self._finish_block(*fetched)
        except BackendError as error:
            outcome = error
        return {"outcome": [pickle.dumps(outcome, protocol=5)]}

    def _finish_block(self, block: Block, images: list[Image | str]) -> FinishedShard:
        worked_s, waited_s = self._labeller.worked_s, self._labeller.waited_s
        path = self._label_block(block, images)
        return FinishedShard(path, self._labeller.worked_s - worked_s, self._labeller.waited_s - waited_s)

    def _label_block(self, block: Block, images: list[Image | str]) -> Path:
        name = block.name
        was_lost = self._marks.begin(name) > 0
        results = [
            self._label_marked(name, number, group, image)
            if was_lost
            else label_group(self._labeller, group, image)
            for number, (group, image) in enumerate(zip(block.groups, images, strict=True))
        ]
        path = write_shard(self._shards, name, block.version, results)
        self._marks.end(name)
        return path

    def _label_marked(self, name: str, number: int, group: TaskGroup, image: Image | str) -> GroupResult:
        """Label a group of a block that a worker was lost with; its mark shows if the group does it again."""
        mark = f"{name}.{number}"
        if is_deadly(self._marks.begin(mark)):
            result = make_failed_result(group, make_loss_sentence())
        else:
            result = label_group(self._labeller, group, image)
        self._marks.end(mark)
        return result
