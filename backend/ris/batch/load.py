"""Load shards into the database, each in one transaction, and remove it afterwards.

A task that is stored is left as it is. So a shard that was loaded but not removed, because the program was
killed between the two, changes nothing when it is loaded again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ris.batch.shard import read_shard_rows
from ris.core.types import Absence, MethodScore, MethodScores, Task
from ris.errors import StoreRefusal
from ris.labelstudio.region import choose_places, make_region_id
from ris.store.bulk_load import ComputedImage, ComputedMask, ComputedTask, add_computed_images
from ris.store.session import Database


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task without suggestions, and the reason."""

    task_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class LoadedShard:
    """What a shard held.

    Attributes:
        n_images: its images.
        n_tasks: their tasks.
        n_new: tasks that were not stored before.
        failed: tasks without suggestions.
    """

    n_images: int
    n_tasks: int
    n_new: int
    failed: tuple[FailedTask, ...]


def load_shard(
    database: Database, path: Path, *, shuffled_share: float, now: Callable[[], datetime]
) -> LoadedShard:
    """Load a shard, and remove it once its transaction is committed.

    Args:
        database: where suggestions are stored.
        path: of the shard.
        shuffled_share: fraction of tasks shown shuffled, to measure position bias.
        now: the clock.

    Raises:
        SettingsError: the shard cannot be read.
        StoreError: the database cannot be written; the shard stays.
    """
    version, rows = read_shard_rows(path)
    images: list[ComputedImage] = []
    failed: list[FailedTask] = []
    for row in rows:
        tasks = [_read_task(row, one, version, shuffled_share) for one in row["tasks"] if not one["failure"]]
        failed += [FailedTask(one["task"], one["failure"]) for one in row["tasks"] if one["failure"]]
        failed += [
            FailedTask(one.task.task_id, "no mask was proposed for its image")
            for one in tasks
            if not one.alternatives
        ]
        if tasks:
            size = row["height"], row["width"]
            images.append(ComputedImage(row["digest"], size, row["masks"], tasks))
    n_new, refused = _store_images(database, images, version, now)
    path.unlink(missing_ok=True)
    n_tasks = sum(len(row["tasks"]) for row in rows)
    return LoadedShard(len(rows), n_tasks, n_new, (*failed, *refused))


def _store_images(
    database: Database, images: Sequence[ComputedImage], version: str, now: Callable[[], datetime]
) -> tuple[int, list[FailedTask]]:
    """Store images in one transaction; if a value is refused, one by one, so that it costs its own image."""
    try:
        with database.begin() as session:
            return add_computed_images(session, images, version=version, now=now()), []
    except StoreRefusal as error:
        if len(images) == 1:
            return 0, [FailedTask(one.task.task_id, str(error)) for one in images[0].tasks]
    parts = [_store_images(database, [image], version, now) for image in images]
    return sum(n_new for n_new, _ in parts), [one for _, failed in parts for one in failed]


def _read_task(
    row: Mapping[str, Any], one: Mapping[str, Any], version: str, shuffled_share: float
) -> ComputedTask:
    task = Task(one["task"], one["project"], row["image"], one["expression"])
    suggestions = one["suggestions"]
    places = choose_places(task, version, len(suggestions), share=shuffled_share)
    alternatives = [
        ComputedMask(
            make_region_id(task.project, task.task_id, task.expression, version, each["rank"]),
            place,
            each["rank"],
            each["score"],
            each["counts"],
            tuple(each["box"]),
            {m["method"]: MethodScore(m["score"], m["rank"]) for m in each["methods"]},
            each["late_method"],
            None if each["absence"] is None else Absence(**each["absence"]),
        )
        for each, place in zip(suggestions, places, strict=True)
    ]
    late = [(each["method"], each["counts"]) for each in one["late"]]
    return ComputedTask(task, alternatives, [_read_scores(each) for each in one["scores"]], late)


def _read_scores(stored: Mapping[str, Any]) -> MethodScores:
    heat = stored["heat"]
    return MethodScores(
        stored["method"],
        np.array(stored["scores"], np.float32),
        stored["skipped_reason"],
        {each["kind"]: each["text"] for each in stored["evidence"]},
        None if heat is None else np.frombuffer(heat, np.uint8).reshape(stored["heat_side"], -1),
        absence=stored["absence"],
    )
