"""Read the current answers for an export: first what chooses them, then pages of them by their ids.

The ids are read in one transaction, and versions of answers are never changed. So all formats of an export
hold the same answers, whatever arrives meanwhile, and no transaction stays open while files are written.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session

from ris.core.decision import Decision
from ris.core.types import Size, Task, Verdict
from ris.errors import StoreError
from ris.store.adjudications import find_outcomes, find_sources, make_is_listed_with_source
from ris.store.alternatives import find_answer_alternatives
from ris.store.history import to_corrections
from ris.store.known_images import find_answer_images
from ris.store.schema import CorrectionRow
from ris.store.session import Database

_ANSWERS_PER_PAGE = 1_000

_HAS_MASK = and_(
    CorrectionRow.counts.is_not(None), CorrectionRow.height.is_not(None), CorrectionRow.width.is_not(None),
    CorrectionRow.verdict.in_([verdict.value for verdict in Verdict if verdict.has_mask]),
).label("has_mask")  # fmt: skip
_LIGHT_COLUMNS: tuple[Any, ...] = (
    CorrectionRow.id, CorrectionRow.project, CorrectionRow.task_id, CorrectionRow.annotation_id,
    CorrectionRow.image_url, CorrectionRow.expression, CorrectionRow.updated_at, CorrectionRow.verdict,
    CorrectionRow.height, CorrectionRow.width, _HAS_MASK,
)  # fmt: skip
_ANSWER_COLUMNS: tuple[Any, ...] = (
    CorrectionRow.id, CorrectionRow.project, CorrectionRow.task_id, CorrectionRow.annotation_id,
    CorrectionRow.image_url, CorrectionRow.expression, CorrectionRow.updated_at, CorrectionRow.annotator,
    CorrectionRow.lead_time_s, CorrectionRow.parent_prediction, CorrectionRow.cancelled,
    CorrectionRow.region_ids, CorrectionRow.verdict, CorrectionRow.rank, CorrectionRow.iou,
    CorrectionRow.added_px, CorrectionRow.removed_px, CorrectionRow.boundary_iou, CorrectionRow.version,
    CorrectionRow.counts, CorrectionRow.height, CorrectionRow.width,
)  # fmt: skip


class ListedAnswer(NamedTuple):
    """What decides whether and where an answer is exported: no mask, no alternatives.

    Attributes:
        row_id: of the answer's version in SQL.
        annotation_id: in Label Studio.
        task: the task.
        updated_at: when the answer was given.
        verdict: what the annotator did.
        mask_size: (height, width) of the final mask; None if the verdict has none.
        image_digest: SHA-256 of the image's file; None when this backend never fetched the image.
        image_size: (height, width) as displayed; None when this backend never fetched the image.
        settles: the task on which people disagreed that this answer settles, see `store.adjudications`; None
            for every other answer.
    """

    row_id: int
    annotation_id: int
    task: Task
    updated_at: datetime
    verdict: Verdict
    mask_size: Size | None
    image_digest: str | None
    image_size: Size | None
    settles: Task | None = None


class AnswerPages:
    """The current answers of a database, by project, task and annotation.

    Answers that settle a task on which people disagree (`store.adjudications`) follow those to that task.

    Args:
        database: the database.
        project: key of one project; None for all.
        homes: Label Studio's own addresses, as in `core.address.to_addresses`.
    """

    def __init__(self, database: Database, *, project: str | None = None, homes: Sequence[str] = ()) -> None:
        self._database, self._project, self._homes = database, project, homes

    def list_answers(self) -> Iterator[ListedAnswer]:
        """Yield all current answers, in one transaction; of a project, also those that settle its tasks."""
        query = select(*_LIGHT_COLUMNS).where(CorrectionRow.is_current)
        if self._project is not None:
            query = query.where(CorrectionRow.project == self._project)
        else:
            query = query.where(~make_is_listed_with_source())
        query = query.order_by(CorrectionRow.project, CorrectionRow.task_id, CorrectionRow.annotation_id)
        with self._database.begin() as session:
            rows = session.execute(query.execution_options(yield_per=_ANSWERS_PER_PAGE))
            pages = (list(_list_page(session, page, self._homes)) for page in rows.partitions())
            yield from self._insert_outcomes(session, pages)

    def _insert_outcomes(
        self, session: Session, pages: Iterable[Sequence[ListedAnswer]]
    ) -> Iterator[ListedAnswer]:
        """Yield the answers of pages, and after those to each task the answers that settle it."""
        outcomes: list[ListedAnswer] = []  # of the last task, whose answers may go on in the next page
        last: tuple[str, int] | None = None
        for page in pages:
            found = self._find_outcomes(session, {_get_key(answer.task) for answer in page})
            for answer in page:
                if _get_key(answer.task) != last:
                    yield from outcomes
                    last = _get_key(answer.task)
                    outcomes = found.get(last, [])
                yield answer
        yield from outcomes

    def _find_outcomes(
        self, session: Session, tasks: set[tuple[str, int]]
    ) -> dict[tuple[str, int], list[ListedAnswer]]:
        outcomes = find_outcomes(session, tasks, _LIGHT_COLUMNS)
        listed = _list_page(session, outcomes, self._homes)
        found: dict[tuple[str, int], list[ListedAnswer]] = {}
        for answer in listed:
            if answer.settles is not None:
                found.setdefault(_get_key(answer.settles), []).append(answer)
        return found

    def find_answers(self, row_ids: Sequence[int]) -> list[Decision]:
        """Return the answers of these ids, in this order, without alternatives and without images.

        Raises:
            StoreError: one of them is not in the database any more.
        """
        with self._database.begin() as session:
            return _make_answers(_find_rows(session, row_ids))

    def find_decisions_of(self, row_ids: Sequence[int]) -> list[Decision]:
        """Return the answers of these ids, in this order, with their alternatives and without images.

        Raises:
            StoreError: one of them is not in the database any more.
        """
        with self._database.begin() as session:
            answers = _make_answers(_find_rows(session, row_ids))
            found = find_answer_alternatives(session, [one.correction.annotation for one in answers])
            return [
                Decision(
                    answer.correction, tuple(one for one in own if one.suggestion.version == answer.version),
                    None, None, answer.version,
                )
                for answer, own in zip(answers, found, strict=True)
            ]  # fmt: skip


def _get_key(task: Task) -> tuple[str, int]:
    return task.project, task.task_id


def _list_page(session: Session, rows: Sequence[Row[Any]], homes: Sequence[str]) -> Iterator[ListedAnswer]:
    tasks = [Task(row.task_id, row.project, row.image_url, row.expression) for row in rows]
    sizes = [(row.height, row.width) if row.has_mask else None for row in rows]
    images = find_answer_images(session, tasks, sizes, [row.updated_at for row in rows], homes)
    sources = find_sources(session, set(tasks))
    for row, task, size, image in zip(rows, tasks, sizes, images, strict=True):
        yield ListedAnswer(
            row.id, row.annotation_id, task, row.updated_at, Verdict(row.verdict), size,
            image.digest if image else None, image.size if image else None, sources.get(task),
        )  # fmt: skip


def _find_rows(session: Session, row_ids: Sequence[int]) -> list[Row[Any]]:
    query = select(*_ANSWER_COLUMNS).where(CorrectionRow.id.in_(row_ids))
    rows = {row.id: row for row in session.execute(query)}
    gone = next((row_id for row_id in row_ids if row_id not in rows), None)
    if gone is not None:
        raise StoreError(f"row {gone} of the table correction was removed during the export; export again")
    return [rows[row_id] for row_id in row_ids]


def _make_answers(rows: Sequence[Row[Any]]) -> list[Decision]:
    return [
        Decision(correction, (), None, None, row.version)
        for row, correction in zip(rows, to_corrections(rows), strict=True)
    ]
