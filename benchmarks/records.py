"""Fill a database with made-up decisions: `python -m benchmarks.records --decisions 100000 --database URL`.

The same seed and number make the same rows. For N decisions there are N/3 images with two tasks each: one
answered by two annotators, one by one. Some answers were edited later, some were deleted, some tasks have
alternatives of two versions. Masks have hundreds of runs. Nothing can be fetched: no image exists as a file.
"""

import argparse
import base64
import hashlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any

import numpy as np
from pycocotools import mask as coco
from rich.console import Console
from rich.progress import track
from sqlalchemy import Engine, create_engine, event, insert
from sqlalchemy.orm import Session

from benchmarks.mask_pool import PoolShape, choose_move, make_mask_pool, move_box
from benchmarks.processor import print_processor
from ris.core.address import to_address, to_address_key
from ris.core.types import Size, Task, Verdict
from ris.labelstudio.region import make_region_id
from ris.store.current import rebuild_current
from ris.store.database_url import parse_database_url
from ris.store.records import hash_task_content
from ris.store.schema import (
    AddressRow,
    BaseRow,
    CorrectionRow,
    DeletionRow,
    EventRow,
    ImageRow,
    ProjectRow,
    ProposalsRow,
    SuggestionRow,
    TaskRow,
)
from ris.store.session import upgrade_database

DECISIONS_PER_IMAGE = 3
_IMAGES_PER_BLOCK, _BLOCKS_AHEAD = 250, 3
_SIZES = ((480, 640), (427, 640), (640, 480))
_PROJECTS = tuple(f"{number}.1700000000" for number in range(1, 5))
_VERSIONS = ("tiny-0123456789ab", "tiny-123456789abc", "tiny-123456789abc-learned-23456789")
_METHODS = ("global_local", "iterprime", "lgd", "spatial")
_VERDICTS = tuple(Verdict)
_VERDICT_SHARES = (0.55, 0.2, 0.15, 0.06, 0.04)  # accepted, edited, redrawn, no referent, skipped
_EDITED_LATER_SHARE, _DELETED_SHARE, _TWO_VERSIONS_SHARE = 0.2, 0.02, 0.1
_TASKS_PER_IMAGE, _N_SHOWN, _HEAT_SIDE, _N_ANNOTATORS = 2, 3, 16, 7
_FIRST_DAY = datetime(2024, 1, 1, 8, tzinfo=UTC)
_IMAGES_PER_DAY = 1000
_COLOURS = ("red", "blue", "green", "white", "black", "brown")
_NOUNS = ("mug", "dog", "man with the umbrella", "chair", "truck", "bottle", "dogs", "woman")
_PLACES = ("on the left", "second from the right", "next to the table", "in front", "", "at the very top")
_LABEL_CONFIG = (
    '<View><Image name="image" value="$image"/><Text name="expression" value="$expression"/>'
    '<BrushLabels name="label" toName="image"><Label value="referent"/></BrushLabels></View>'
)


@dataclass
class _Rows:
    """The rows of one block by table, in an order that satisfies the foreign keys."""

    by_table: dict[type[BaseRow], list[dict[str, Any]]] = field(
        default_factory=lambda: {
            row: []
            for row in (ImageRow, AddressRow, ProposalsRow, TaskRow, SuggestionRow, EventRow, CorrectionRow,
                        DeletionRow)
        }
    )  # fmt: skip

    def add(self, table: type[BaseRow], **values: Any) -> None:
        self.by_table[table].append(values)


@dataclass(frozen=True, slots=True)
class _Picture:
    """One image: its rows' keys, and its proposals as shapes with their shifts (x, y) in pixels."""

    number: int
    project: str
    size: Size
    digest: str
    url: str
    seen_at: datetime
    proposals_key: str
    shapes: tuple[tuple[PoolShape, int, int], ...]

    def write_mask(self, rank: int, *, is_edited: bool = False) -> str:
        """Return COCO's text of one of the proposals, or of its edited mask."""
        shape, dx, dy = self.shapes[rank]
        return (shape.edited if is_edited else shape.proposed).move(dx * self.size[0] + dy)


@dataclass(frozen=True, slots=True)
class _Shown:
    """The alternatives of a task under a version: the first proposals of its picture."""

    version: str
    score: float
    favourites: dict[str, int]


class _BlockMaker:
    """Makes the rows of blocks of images. Every id is computed from the number of its image."""

    def __init__(self, seed: int, n_proposals: int) -> None:
        self._seed, self._n_proposals = seed, n_proposals
        self._pools = {size: make_mask_pool(size, seed) for size in _SIZES}

    def make_block(self, first_image: int, n_images: int) -> _Rows:
        """Make the rows of some images: their tasks, alternatives, events and decisions."""
        generator, rows = np.random.default_rng([self._seed, first_image]), _Rows()
        for number in range(first_image, first_image + n_images):
            picture = self._add_picture(rows, number, generator)
            for position, n_annotators in enumerate((2, 1)):
                self._add_task(rows, picture, position, n_annotators, generator)
        return rows

    def _add_picture(self, rows: _Rows, number: int, generator: np.random.Generator) -> _Picture:
        project = _PROJECTS[number % len(_PROJECTS)]
        size = _SIZES[int(generator.integers(len(_SIZES)))]
        digest = hashlib.sha256(f"{self._seed}/{number}".encode()).hexdigest()
        pool, (day, position) = self._pools[size], divmod(number, _IMAGES_PER_DAY)
        chosen = [pool[i] for i in generator.integers(len(pool), size=self._n_proposals)]
        picture = _Picture(
            number, project, size, digest,
            url=f"/data/upload/{project.split('.')[0]}/{digest[:8]}-{number:07d}.jpg",
            seen_at=_FIRST_DAY + timedelta(days=day, seconds=30 * position),
            proposals_key=hashlib.sha256(f"proposals {digest}".encode()).hexdigest(),
            shapes=tuple((shape, *choose_move(shape, generator)) for shape in chosen),
        )  # fmt: skip
        address = to_address_key(to_address(picture.url, project))
        rows.add(ImageRow, digest=digest, height=size[0], width=size[1], first_seen=picture.seen_at)
        rows.add(AddressRow, address=address, project=project, digest=digest, seen_at=picture.seen_at)
        masks = [picture.write_mask(rank) for rank in range(self._n_proposals)]
        rows.add(ProposalsRow, key=picture.proposals_key, height=size[0], width=size[1], masks=masks)
        return picture

    def _add_task(
        self, rows: _Rows, picture: _Picture, position: int, n_annotators: int, generator: np.random.Generator
    ) -> None:
        words = (kind[int(generator.integers(len(kind)))] for kind in (_COLOURS, _NOUNS, _PLACES))
        number = _TASKS_PER_IMAGE * picture.number + position + 1
        task = Task(number, picture.project, picture.url, " ".join(words).strip())
        n_versions = 2 if generator.random() < _TWO_VERSIONS_SHARE else 1
        versions = [_VERSIONS[(number + i) % len(_VERSIONS)] for i in range(n_versions)]
        shown = [
            self._add_alternatives(rows, picture, task, version, 2 * number - i, generator)
            for i, version in enumerate(versions)
        ]
        for annotator in range(n_annotators):
            answer = DECISIONS_PER_IMAGE * picture.number + 2 * position + annotator + 1
            _add_answer(rows, picture, task, shown[0], answer, generator)

    def _add_alternatives(
        self, rows: _Rows, picture: _Picture, task: Task, version: str, row_id: int,
        generator: np.random.Generator,
    ) -> _Shown:  # fmt: skip
        ranks = generator.permuted(np.tile(np.arange(_N_SHOWN), (len(_METHODS), 1)), axis=1)
        scores = np.sort(generator.random((len(_METHODS), self._n_proposals)), axis=1)[:, ::-1].astype(float)
        explained = {
            name: {"evidence": {"expression": task.expression}, "scores": [round(s, 6) for s in row]}
            for name, row in zip(_METHODS, scores.tolist(), strict=True)
        }
        heat = base64.b64encode(generator.integers(0, 256, _HEAT_SIDE**2, np.uint8).tobytes())
        explained["iterprime"]["heat"] = {"side": _HEAT_SIDE, "bytes": heat.decode()}
        rows.add(
            TaskRow, id=row_id, project=task.project, task_id=task.task_id, asked=hash_task_content(task),
            image_url=task.image_url, expression=task.expression, version=version,
            image_digest=picture.digest, left_out={}, explained=explained, proposals=picture.proposals_key,
            answered_at=picture.seen_at + timedelta(seconds=int(version == _VERSIONS[-1])),
        )  # fmt: skip
        for rank in range(_N_SHOWN):
            shape, dx, dy = picture.shapes[rank]
            x1, y1, x2, y2 = move_box(shape, dx, dy)
            rows.add(
                SuggestionRow, task=row_id, rank=rank, place=None, score=float(scores[0, rank]),
                region_id=make_region_id(task.project, task.task_id, task.expression, version, rank),
                counts=picture.write_mask(rank), height=picture.size[0], width=picture.size[1],
                x1=x1, y1=y1, x2=x2, y2=y2,
                methods={
                    name: {"score": float(row[rank]), "rank": int(own[rank])}
                    for name, row, own in zip(_METHODS, scores, ranks, strict=True)
                },
            )  # fmt: skip
        favourites = dict(zip(_METHODS, ranks.argmin(axis=1).tolist(), strict=True))
        return _Shown(version, float(scores[0, 0]), favourites)


def _add_answer(
    rows: _Rows, picture: _Picture, task: Task, shown: _Shown, answer: int, generator: np.random.Generator
) -> None:
    """Add an answer: its versions, each with its event, and perhaps its deletion."""
    at = picture.seen_at + timedelta(hours=1, seconds=int(generator.integers(3600)))
    n_versions = 2 if generator.random() < _EDITED_LATER_SHARE else 1
    for i in range(n_versions):
        number = 2 * answer - 1 + i
        judged = _make_judgement(picture, task, shown.version, generator)
        lead_time_s = round(float(generator.lognormal(2.3, 0.7)), 3)
        moment = at + timedelta(days=i)
        _add_event(
            rows, number, "ANNOTATION_UPDATED" if i else "ANNOTATION_CREATED", moment, task, answer, judged
        )
        rows.add(
            CorrectionRow, id=number, project=task.project, annotation_id=answer, updated_at=moment,
            task_id=task.task_id, image_url=task.image_url, expression=task.expression,
            annotator=1 + answer % _N_ANNOTATORS, lead_time_s=lead_time_s, parent_prediction=None,
            cancelled=judged["verdict"] == Verdict.SKIPPED.value, version=shown.version, event=number,
            recorded_at=moment + timedelta(seconds=1), comparison=_compare(picture, shown, judged["counts"]),
            **judged,
        )  # fmt: skip
    if generator.random() < _DELETED_SHARE:
        rows.add(
            DeletionRow, project=task.project, kind="annotation", gone_id=answer, event=number,
            recorded_at=at + timedelta(days=2),
        )  # fmt: skip


def _make_judgement(
    picture: _Picture, task: Task, version: str, generator: np.random.Generator
) -> dict[str, Any]:
    """Choose a verdict, and return the columns of a correction that it determines."""
    verdict = _VERDICTS[int(generator.choice(len(_VERDICTS), p=_VERDICT_SHARES))]
    judged: dict[str, Any] = {
        "verdict": verdict.value, "rank": None, "iou": None, "added_px": None, "removed_px": None,
        "boundary_iou": None, "counts": None, "height": None, "width": None, "region_ids": [],
    }  # fmt: skip
    if not verdict.has_mask:
        return judged
    rank = min(int(generator.geometric(0.7)) - 1, _N_SHOWN - 1)
    is_edited = verdict is not Verdict.ACCEPTED
    shape = picture.shapes[rank][0] if verdict is not Verdict.REDRAWN else picture.shapes[_N_SHOWN][0]
    judged |= {
        "counts": picture.write_mask(_N_SHOWN if verdict is Verdict.REDRAWN else rank, is_edited=is_edited),
        "height": picture.size[0], "width": picture.size[1],
        "iou": shape.edited_iou if is_edited else 1.0, "rank": rank,
    }  # fmt: skip
    if verdict is Verdict.REDRAWN:
        return judged | {
            "rank": None,
            "iou": round(float(generator.random()) / 2, 6),
            "region_ids": [f"drawn{task.task_id}"],
        }
    judged["region_ids"] = [make_region_id(task.project, task.task_id, task.expression, version, rank)]
    if verdict is Verdict.EDITED:
        judged |= {"added_px": shape.added_px, "removed_px": 0, "boundary_iou": round(shape.edited_iou, 6)}
    return judged


def _compare(picture: _Picture, shown: _Shown, counts: str | None) -> dict[str, Any]:
    """Return the stored comparison of a mask, COCO's text, with the alternatives."""
    overlaps: list[list[int]] = []
    if counts is not None:
        final = {"size": picture.size, "counts": counts.encode()}
        for rank in range(_N_SHOWN):
            proposed = {"size": picture.size, "counts": picture.write_mask(rank).encode()}
            inside = int(coco.area(coco.merge([final, proposed], intersect=True)))
            union = int(coco.area(final)) + int(coco.area(proposed)) - inside
            overlaps.append([inside, union])
    return {
        "shown": _N_SHOWN, "overlaps": overlaps, "score": shown.score, "places": [],
        "favourites": shown.favourites,
    }  # fmt: skip


def _add_event(
    rows: _Rows, number: int, action: str, at: datetime, task: Task, answer: int, judged: dict[str, Any]
) -> None:
    project, made_at = task.project.split(".")
    result = {"type": "brushlabels", "from_name": "label", "to_name": "image", "rle_counts": judged["counts"]}
    body = {
        "action": action, "project": {"id": int(project), "created_at": made_at},
        "task": {"id": task.task_id, "data": {"image": task.image_url, "expression": task.expression}},
        "annotation": {"id": answer, "updated_at": at.isoformat(), "result": [result]},
    }  # fmt: skip
    rows.add(
        EventRow, id=number, received_at=at + timedelta(seconds=1), action=action, body=body, state="done",
        digest=hashlib.sha256(f"{task.project} {number}".encode()).hexdigest(), error=None,
        processed_at=at + timedelta(seconds=1),
    )  # fmt: skip


def fill_database(
    url: str, n_decisions: int, *, seed: int = 0, n_proposals: int = 12, is_shown: bool = False
) -> int:
    """Make the tables, fill them, and return the number of answers, of which some are deleted.

    Args:
        url: of an empty database, or of none yet.
        n_decisions: the number of answers, rounded up to a multiple of three.
        seed: the same seed makes the same rows.
        n_proposals: proposals of each image, at least 4.
        is_shown: whether a progress bar is shown.
    """
    upgrade_database(url)
    engine = create_engine(parse_database_url(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_fast_sqlite)
    n_images = -(-n_decisions // DECISIONS_PER_IMAGE)
    starts = range(0, n_images, _IMAGES_PER_BLOCK)
    blocks = [(first, min(_IMAGES_PER_BLOCK, n_images - first)) for first in starts]
    try:
        with engine.begin() as connection:
            connection.execute(insert(ProjectRow), [_make_project(key) for key in _PROJECTS])
        made = _make_blocks(blocks, seed, n_proposals)
        for rows in track(made, "filling", total=len(blocks), disable=not is_shown):
            with engine.begin() as connection:
                for table, values in rows.by_table.items():
                    if values:
                        connection.execute(insert(table), values)
        _finish(engine)
    finally:
        engine.dispose()
    return n_images * DECISIONS_PER_IMAGE


def _make_blocks(blocks: Sequence[tuple[int, int]], seed: int, n_proposals: int) -> Iterator[_Rows]:
    """Yield the rows of blocks; another process makes the next ones while the caller inserts one."""
    if len(blocks) <= _BLOCKS_AHEAD:
        maker = _BlockMaker(seed, n_proposals)
        yield from (maker.make_block(*block) for block in blocks)
        return
    spawning = get_context("spawn")
    with ProcessPoolExecutor(1, spawning, _start_maker, (seed, n_proposals)) as pool:
        ahead: deque[Future[_Rows]] = deque()
        for block in blocks:
            ahead.append(pool.submit(_make_block, *block))
            if len(ahead) > _BLOCKS_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


_maker: _BlockMaker  # of the process that makes blocks


def _start_maker(seed: int, n_proposals: int) -> None:
    global _maker
    _maker = _BlockMaker(seed, n_proposals)


def _make_block(first_image: int, n_images: int) -> _Rows:
    return _maker.make_block(first_image, n_images)


def _make_project(key: str) -> dict[str, Any]:
    return {
        "key": key, "label_config": _LABEL_CONFIG, "extra_params": {}, "first_seen": _FIRST_DAY,
        "last_seen": _FIRST_DAY, "kept_words": None, "kept_at": None,
    }  # fmt: skip


def _set_up_fast_sqlite(connection: Any, _: object) -> None:
    """Do not wait for the disk: after a power cut the database is filled again."""
    for pragma in ("journal_mode=WAL", "synchronous=OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _finish(engine: Engine) -> None:
    """Flag the versions that count, and set PostgreSQL's counters behind the ids that were given."""
    tables = (TaskRow, EventRow, CorrectionRow)
    with Session(engine) as session, session.begin():
        for project in _PROJECTS:
            rebuild_current(session, project)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for table in tables:
                name = table.__tablename__
                sequence = f"pg_get_serial_sequence('{name}', 'id')"
                connection.exec_driver_sql(f"SELECT setval({sequence}, (SELECT max(id) FROM {name}))")
        connection.exec_driver_sql("ANALYZE")


def main() -> None:
    """Fill a database and print its size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:///records.db", help="an empty database")
    parser.add_argument("--decisions", type=int, default=10_000)
    parser.add_argument("--proposals", type=int, default=12, help="of each image")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print_processor()
    started = time.perf_counter()
    n_answers = fill_database(
        arguments.database, arguments.decisions, seed=arguments.seed, n_proposals=arguments.proposals,
        is_shown=True,
    )  # fmt: skip
    Console().print(f"{n_answers} answers in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
