"""Read the current decisions, for tables, evaluation and exports."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from ris.core.decision import Decision
from ris.core.rle import RLE
from ris.core.types import Annotation, Correction, Edit, Task, Verdict
from ris.store.alternatives import find_answer_alternatives
from ris.store.known_images import find_answer_images
from ris.store.records import masks_from_strings
from ris.store.schema import CorrectionRow, ProjectRow, TallyRow

_IDS_PER_PAGE = 10_000
_DECISIONS_PER_QUERY = 200  # decisions whose images and alternatives are looked up together


def read_decisions(
    session: Session, *, project: str | None = None, homes: Sequence[str] = ()
) -> Iterator[Decision]:
    """Yield the newest version of each annotation that is not deleted, by project, task and annotation.

    Which version counts is said in `store.current`. The image of a decision is that of its task; for a task
    without predictions, the one seen at its image's address in its project, then in any project.

    Args:
        session: of the database.
        project: its key; None reads all projects.
        homes: Label Studio's own addresses: a path of its own with one of them before it is the same path.
    """
    rows = session.scalars(_select_current(project).execution_options(yield_per=_DECISIONS_PER_QUERY))
    for part in rows.partitions():
        yield from _make_decisions(session, part, homes)


def find_decisions(session: Session, row_ids: Sequence[int]) -> list[Decision]:
    """Return the decisions of the versions that have these ids in SQL, in this order."""
    found: list[Decision] = []
    for start in range(0, len(row_ids), _DECISIONS_PER_QUERY):
        part = row_ids[start : start + _DECISIONS_PER_QUERY]
        rows = {
            row.id: row for row in session.scalars(select(CorrectionRow).where(CorrectionRow.id.in_(part)))
        }
        found += _make_decisions(session, [rows[row_id] for row_id in part if row_id in rows], homes=())
        session.expunge_all()
    return found


def find_decisions_by_image(session: Session, *, project: str | None = None) -> Sequence[int]:
    """Return the ids in SQL of the current decisions with a mask, those of one image one after another.

    Eight bytes a decision are in memory; the database sorts.

    Args:
        session: of the database.
        project: its key; None finds those of all projects.
    """
    query = select(CorrectionRow.id).where(
        CorrectionRow.is_current,
        CorrectionRow.counts.is_not(None),
        CorrectionRow.verdict.in_([verdict.value for verdict in Verdict if verdict.has_mask]),
    )
    if project is not None:
        query = query.where(CorrectionRow.project == project)
    query = query.order_by(
        CorrectionRow.project, CorrectionRow.image_url, CorrectionRow.task_id, CorrectionRow.annotation_id
    )
    return array("q", session.scalars(query.execution_options(yield_per=_IDS_PER_PAGE)))


def read_corrections(session: Session, project: str | None, annotation_id: int) -> Sequence[Correction]:
    """Return every version of one annotation, oldest first, also of a deleted one.

    Args:
        session: of the database.
        project: its key; None finds the annotations of that id in all projects, project by project.
        annotation_id: in Label Studio.
    """
    query = select(CorrectionRow).where(CorrectionRow.annotation_id == annotation_id)
    if project is not None:
        query = query.where(CorrectionRow.project == project)
    rows = session.scalars(query.order_by(CorrectionRow.project, CorrectionRow.updated_at))
    return to_corrections(rows.all())


def _select_current(project: str | None) -> Select[CorrectionRow]:
    query = select(CorrectionRow).where(CorrectionRow.is_current)
    if project is not None:
        query = query.where(CorrectionRow.project == project)
    return query.order_by(CorrectionRow.project, CorrectionRow.task_id, CorrectionRow.annotation_id)


def _make_decisions(
    session: Session, rows: Sequence[CorrectionRow], homes: Sequence[str]
) -> Iterator[Decision]:
    corrections = to_corrections(rows)
    annotations = [correction.annotation for correction in corrections]
    sizes = [
        c.annotation.mask.size if c.verdict.has_mask and c.annotation.mask else None for c in corrections
    ]
    images = find_answer_images(
        session, [one.task for one in annotations], sizes, [one.updated_at for one in annotations], homes
    )
    alternatives = find_answer_alternatives(session, annotations)
    for row, correction, image, found in zip(rows, corrections, images, alternatives, strict=True):
        yield Decision(
            correction=correction,
            alternatives=tuple(one for one in found if one.suggestion.version == row.version),
            image_digest=image.digest if image else None,
            image_size=image.size if image else None,
            version=row.version,
        )


def to_corrections(rows: Sequence[CorrectionRow | Row[Any]]) -> list[Correction]:
    """Return the corrections of rows, or of rows of these columns."""
    masks = masks_from_strings(
        [(row.counts or "", row.height or 0, row.width or 0) for row in rows if _has_mask(row)]
    )
    rest = iter(masks)
    return [_make_correction(row, next(rest) if _has_mask(row) else None) for row in rows]


def _has_mask(row: CorrectionRow | Row[Any]) -> bool:
    return row.counts is not None and row.height is not None and row.width is not None


def _make_correction(row: CorrectionRow | Row[Any], mask: RLE | None) -> Correction:
    annotation = Annotation(
        annotation_id=row.annotation_id,
        task=Task(row.task_id, row.project, row.image_url, row.expression),
        updated_at=row.updated_at,
        mask=mask,
        region_ids=tuple(row.region_ids),
        cancelled=row.cancelled,
        annotator=row.annotator,
        lead_time_s=row.lead_time_s,
        parent_prediction=row.parent_prediction,
    )
    return Correction(annotation, Verdict(row.verdict), row.rank, row.iou, _to_edit(row))


def _to_edit(row: CorrectionRow | Row[Any]) -> Edit | None:
    if row.added_px is None or row.removed_px is None or row.boundary_iou is None:
        return None
    return Edit(row.added_px, row.removed_px, row.boundary_iou)


def count_decisions(session: Session, *, project: str | None = None) -> int:
    """Return the number of current decisions: of one project, or of all."""
    counted = select(func.coalesce(func.sum(TallyRow.n_decisions), 0))
    if project is not None:
        counted = counted.where(TallyRow.project == project)
    return int(session.execute(counted).scalar_one())


def find_project_keys(session: Session) -> list[str]:
    """Return the keys of all projects with a /setup request or a decision, in order."""
    return sorted({*session.scalars(select(ProjectRow.key)), *find_projects_with_corrections(session)})


def find_projects_with_corrections(session: Session) -> set[str]:
    """Return the keys of the projects with a decision.

    One step in the index for each project: on PostgreSQL, DISTINCT reads an entry for each decision.
    """
    first = select(func.min(CorrectionRow.project).label("project")).cte("found", recursive=True)
    following = (
        select(func.min(CorrectionRow.project))
        .where(CorrectionRow.project > first.c.project)
        .scalar_subquery()
    )
    found = first.union_all(select(following).where(first.c.project.is_not(None)))
    return set(session.scalars(select(found.c.project).where(found.c.project.is_not(None))))
