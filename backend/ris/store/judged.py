"""Read what the figures need of the current answers: no masks, a page at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Text, and_, cast, select, update
from sqlalchemy.orm import Session

from ris.core.comparison import Comparison
from ris.core.decision import JudgedAnswer, get_image_key, to_judged_answer
from ris.core.types import Edit, Task, Verdict
from ris.store.adjudications import select_adjudication_projects
from ris.store.comparisons import comparison_from_text, comparison_to_json
from ris.store.filters import EVERYTHING, DecisionFilter
from ris.store.history import find_decisions
from ris.store.known_images import find_answer_images, make_only_digest
from ris.store.schema import CorrectionRow
from ris.store.session import Database

_ANSWERS_PER_PAGE = 500

_VERDICTS = {verdict.value: verdict for verdict in Verdict}  # a call of the enum costs ten look-ups
_HAS_MASK = and_(
    CorrectionRow.counts.is_not(None),
    CorrectionRow.verdict.in_([verdict.value for verdict in Verdict if verdict.has_mask]),
)
_COLUMNS: tuple[Any, ...] = (
    CorrectionRow.id, CorrectionRow.project, CorrectionRow.task_id, CorrectionRow.image_url,
    CorrectionRow.expression, CorrectionRow.updated_at, CorrectionRow.annotator, CorrectionRow.lead_time_s,
    CorrectionRow.verdict, _HAS_MASK.label("has_mask"), CorrectionRow.rank, CorrectionRow.iou,
    CorrectionRow.added_px, CorrectionRow.removed_px, CorrectionRow.boundary_iou, CorrectionRow.version,
    cast(CorrectionRow.comparison, Text).label("comparison"), CorrectionRow.height, CorrectionRow.width,
    make_only_digest(_HAS_MASK).label("digest"),
)  # fmt: skip


def read_judged_answers(session: Session, *, project: str | None = None) -> Iterator[JudgedAnswer]:
    """Yield the current answers, by project, task and annotation.

    Args:
        session: of the database.
        project: its key; None reads all projects but those whose tasks settle those of others: the answers of
            people, and no suggestions, are their alternatives.
    """
    query = select(*_COLUMNS).where(CorrectionRow.is_current)
    if project is not None:
        query = query.where(CorrectionRow.project == project)
    else:
        query = query.where(CorrectionRow.project.not_in(select_adjudication_projects()))
    query = query.order_by(CorrectionRow.project, CorrectionRow.task_id, CorrectionRow.annotation_id)
    for page in session.execute(query.execution_options(yield_per=_ANSWERS_PER_PAGE)).partitions():
        yield from _to_judged_answers(session, page)


def find_newest_judged_answers(
    session: Session, limit: int, chosen: DecisionFilter = EVERYTHING
) -> list[JudgedAnswer]:
    """Return the chosen answers that were given last, newest first; at most `limit`."""
    newest = CorrectionRow.updated_at.desc(), CorrectionRow.id.desc()
    query = select(*_COLUMNS).where(*chosen.make_conditions()).order_by(*newest).limit(limit)
    return _to_judged_answers(session, session.execute(query).all())


def _to_judged_answers(session: Session, rows: Sequence[Row[Any]]) -> list[JudgedAnswer]:
    tasks = [Task(row.task_id, row.project, row.image_url, row.expression) for row in rows]
    others = _find_other_digests(session, rows, tasks)
    old = [row.id for row in rows if row.comparison is None]
    compared = compare_old_answers(session, old)
    return [
        JudgedAnswer(
            row.id, task, get_image_key(task, row.digest or others.get(row.id)), row.updated_at,
            row.annotator, row.lead_time_s, _VERDICTS[row.verdict], row.has_mask, row.rank, row.iou,
            _to_edit(row), row.version,
            compared[row.id] if row.comparison is None else comparison_from_text(row.comparison),
        )
        for row, task in zip(rows, tasks, strict=True)
    ]  # fmt: skip


def _find_other_digests(
    session: Session, rows: Sequence[Row[Any]], tasks: Sequence[Task]
) -> dict[int, str | None]:
    """Find the images that the rows' own tasks do not tell: their digests by the ids of the rows."""
    chosen = [i for i, row in enumerate(rows) if row.digest is None]
    if not chosen:
        return {}
    sizes = [(rows[i].height, rows[i].width) if rows[i].has_mask else None for i in chosen]
    images = find_answer_images(
        session, [tasks[i] for i in chosen], sizes, [rows[i].updated_at for i in chosen]
    )
    return {rows[i].id: image.digest if image else None for i, image in zip(chosen, images, strict=True)}


def compare_old_answers(session: Session, row_ids: Sequence[int]) -> dict[int, Comparison]:
    """Compare answers that were stored without their comparison, by their ids in SQL."""
    return {
        row_id: to_judged_answer(decision).comparison
        for row_id, decision in zip(row_ids, find_decisions(session, row_ids), strict=True)
    }


def _to_edit(row: Row[Any]) -> Edit | None:
    if row.added_px is None or row.removed_px is None or row.boundary_iou is None:
        return None
    return Edit(row.added_px, row.removed_px, row.boundary_iou)


def fill_comparisons(database: Database) -> Iterator[int]:
    """Store the comparisons that are missing, a page in each transaction; yield the number of each page.

    It can be stopped and started again. Memory does not grow with the record.

    Args:
        database: after an upgrade from a version without comparisons.
    """
    while True:
        with database.begin() as session:
            missing = select(CorrectionRow.id).where(
                CorrectionRow.is_current, CorrectionRow.comparison.is_(None)
            )
            row_ids = list(session.scalars(missing.limit(_ANSWERS_PER_PAGE)))
            if not row_ids:
                return
            for row_id, comparison in compare_old_answers(session, row_ids).items():
                row = update(CorrectionRow).where(CorrectionRow.id == row_id)
                session.execute(row.values(comparison=comparison_to_json(comparison)))
        yield len(row_ids)
