"""Read tasks and answers for the checks: without masks, and the masks of some answers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ris.core.decision import get_image_key
from ris.core.rle import RLE
from ris.core.types import Size, Task, Verdict
from ris.store.known_images import find_answer_images
from ris.store.records import masks_from_strings
from ris.store.schema import (
    CorrectionRow,
    DeletionRow,
    ImageRow,
    LearnedRankingRow,
    SuggestionRow,
    TaskRow,
)

_ROWS_PER_PAGE = 2_000
_MASKS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """One current answer, without its mask.

    Attributes:
        handle: what finds its mask, see `load_answer_masks`.
        annotator: Label Studio's user id; None when unknown.
        verdict: what the annotator did.
        lead_time_s: seconds in the editor; None when unknown.
        has_mask: whether there is a mask.
    """

    handle: int
    annotator: int | None
    verdict: Verdict
    lead_time_s: float | None
    has_mask: bool


@dataclass(frozen=True, slots=True)
class ShownRanking:
    """The scores of the alternatives of a task, best first.

    Attributes:
        scores: of each alternative, in [0, 1].
        favourites: by method, the position of the alternative that it ranked best.
        is_chance: whether each score is the chance that its mask is right, as of a learned ranking.
    """

    scores: tuple[float, ...]
    favourites: Mapping[str, int]
    is_chance: bool = False


@dataclass(frozen=True, slots=True)
class CheckedTask:
    """An expression of an image, with its answers.

    Attributes:
        name: for people, e.g. "task 7".
        task: the task.
        image: key of the image: equal for equal files.
        size: (height, width) of the image; None when unknown.
        split: of a published dataset; "" without one.
        answers: the current ones.
        ranking: None when nothing was suggested.
    """

    name: str
    task: Task
    image: tuple[str, str]
    size: Size | None = None
    split: str = ""
    answers: tuple[CheckedAnswer, ...] = field(default=())
    ranking: ShownRanking | None = None


_Asked = tuple[int, str, str]  # task id, reference of the image, expression


def read_checked_tasks(session: Session, project: str) -> list[CheckedTask]:
    """Return the tasks of a project that have suggestions or answers, by their numbers.

    Deleted tasks are left out. No mask is read; memory grows by about 2 kB a task.
    """
    gone = set(
        session.scalars(
            select(DeletionRow.gone_id).where(DeletionRow.project == project, DeletionRow.kind == "task")
        )
    )
    found = _read_asked(session, project)
    for page in _read_answer_pages(session, project):
        _add_answers(session, found, page)
    tasks = [one for (number, *_), one in sorted(found.items()) if number not in gone and one.task.expression]
    return tasks


def load_answer_masks(session: Session, handles: Sequence[int]) -> list[RLE]:
    """Return the masks of answers that have one, in the order of the handles."""
    found: dict[int, RLE] = {}
    row = CorrectionRow
    for start in range(0, len(handles), _MASKS_PER_QUERY):
        part = handles[start : start + _MASKS_PER_QUERY]
        query = select(row.id, row.counts, row.height, row.width).where(row.id.in_(part))
        rows = session.execute(query).all()
        masks = masks_from_strings([(row.counts or "", row.height or 0, row.width or 0) for row in rows])
        found |= {row.id: mask for row, mask in zip(rows, masks, strict=True)}
    return [found[handle] for handle in handles]


def _read_asked(session: Session, project: str) -> dict[_Asked, CheckedTask]:
    """Return the tasks with suggestions, each with the ranking of its newest version."""
    columns = (
        TaskRow.id, TaskRow.task_id, TaskRow.image_url, TaskRow.expression, TaskRow.image_digest,
        TaskRow.version,
        ImageRow.height, ImageRow.width,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(ImageRow, ImageRow.digest == TaskRow.image_digest)
        .where(TaskRow.project == project)
        .order_by(TaskRow.answered_at, TaskRow.id)
    )
    found: dict[_Asked, tuple[int, CheckedTask]] = {}
    learned: set[int] = set()
    known = select(LearnedRankingRow.version, LearnedRankingRow.coefficients)
    calibrated = tuple(
        version for version, coefficients in session.execute(known) if coefficients.get("calibration")
    )
    for row in session.execute(query.execution_options(yield_per=_ROWS_PER_PAGE)):
        task = Task(row.task_id, project, row.image_url, row.expression)
        checked = CheckedTask(
            f"task {row.task_id}", task, get_image_key(task, row.image_digest), (row.height, row.width)
        )
        found[row.task_id, row.image_url, row.expression] = row.id, checked
        if row.version.startswith(calibrated):
            learned.add(row.id)
    rankings = _read_rankings(session, project, {number for number, _ in found.values()}, learned)
    return {
        asked: replace(checked, ranking=rankings.get(number)) for asked, (number, checked) in found.items()
    }


def _read_rankings(
    session: Session, project: str, chosen: set[int], learned: set[int]
) -> dict[int, ShownRanking]:
    query = (
        select(SuggestionRow.task, SuggestionRow.score, SuggestionRow.methods)
        .join(TaskRow, TaskRow.id == SuggestionRow.task)
        .where(TaskRow.project == project)
        .order_by(SuggestionRow.task, SuggestionRow.rank)
    )
    shown: dict[int, list[tuple[float, Mapping[str, Any]]]] = {}
    for number, score, methods in session.execute(query.execution_options(yield_per=_ROWS_PER_PAGE)):
        if number in chosen:
            ranks = {name: int(own["rank"]) for name, own in methods.items()}
            shown.setdefault(number, []).append((score, ranks))
    return {number: make_shown_ranking(one, is_chance=number in learned) for number, one in shown.items()}


def make_shown_ranking(
    shown: Sequence[tuple[float, Mapping[str, int]]], *, is_chance: bool = False
) -> ShownRanking:
    """Make the ranking of alternatives, best first: the score of each, and its rank by method."""
    best: dict[str, tuple[int, int]] = {}
    for position, (_, ranks) in enumerate(shown):
        for method, rank in ranks.items():
            best[method] = min(best.get(method, (rank, position)), (rank, position))
    favourites = {name: place for name, (_, place) in best.items()}
    return ShownRanking(tuple(score for score, _ in shown), favourites, is_chance)


def _read_answer_pages(session: Session, project: str) -> Any:
    row = CorrectionRow
    columns = (
        row.id, row.project, row.task_id, row.image_url, row.expression, row.updated_at, row.annotator,
        row.verdict, row.lead_time_s, row.height, row.width, row.counts.is_not(None).label("has_counts"),
    )  # fmt: skip
    query = select(*columns).where(row.is_current, row.project == project)
    query = query.order_by(row.project, row.task_id, row.annotation_id)
    return session.execute(query.execution_options(yield_per=_ROWS_PER_PAGE)).partitions()


def _add_answers(session: Session, found: dict[_Asked, CheckedTask], rows: Sequence[Row[Any]]) -> None:
    answers = [_to_checked_answer(row) for row in rows]
    unknown = [
        (row, answer)
        for row, answer in zip(rows, answers, strict=True)
        if (row.task_id, row.image_url, row.expression) not in found
    ]
    tasks = [Task(row.task_id, row.project, row.image_url, row.expression) for row, _ in unknown]
    sizes = [(row.height, row.width) if answer.has_mask else None for row, answer in unknown]
    images = find_answer_images(session, tasks, sizes, [row.updated_at for row, _ in unknown])
    for task, image in zip(tasks, images, strict=True):
        key = get_image_key(task, image.digest if image else None)
        made = CheckedTask(f"task {task.task_id}", task, key, image.size if image else None)
        found.setdefault((task.task_id, task.image_url, task.expression), made)
    for row, answer in zip(rows, answers, strict=True):
        asked = row.task_id, row.image_url, row.expression
        found[asked] = replace(found[asked], answers=(*found[asked].answers, answer))


def _to_checked_answer(row: Row[Any]) -> CheckedAnswer:
    verdict = Verdict(row.verdict)
    return CheckedAnswer(
        row.id, row.annotator, verdict, row.lead_time_s, bool(row.has_counts) and verdict.has_mask
    )
