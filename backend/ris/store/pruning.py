"""Drop proposals and explanations of superseded versions that no decision refers to.

A task's alternatives of a version are superseded when its same words and image were answered later under
another version. What the annotators saw stays: alternatives are kept, and so is everything that a decision
refers to.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, type_coerce, update
from sqlalchemy.orm import Session, aliased

from ris.store.compressed_json import RawBytes
from ris.store.schema import CorrectionRow, ProposalsRow, TaskRow
from ris.store.session import Database

_ROWS_PER_PAGE = 500
_MAX_EMPTY_BYTES = 16  # of an explanation that was dropped already: "{}", compressed or not
# Until the commit nobody stores proposals, so none are deleted that a task under way is about to name.
_KEEP_WRITERS_OUT = text("LOCK TABLE proposals IN SHARE ROW EXCLUSIVE MODE")


@dataclass(frozen=True, slots=True)
class PrunableRows:
    """What `prune_rows` would drop.

    Attributes:
        n_tasks: number of a task's versions whose explanation and proposals would be dropped.
        n_explanation_bytes: of these explanations.
        n_proposals: number of sets of proposals that no task would name any more.
        n_proposal_bytes: of these.
    """

    n_tasks: int
    n_explanation_bytes: int
    n_proposals: int
    n_proposal_bytes: int


def find_prunable(session: Session) -> PrunableRows:
    """Count what `prune_rows` would drop; nothing is changed."""
    n_tasks, n_explanation_bytes = session.execute(
        select(func.count(), func.coalesce(func.sum(_measure(TaskRow.explained)), 0)).where(_is_prunable())
    ).one()
    n_proposals, n_proposal_bytes = session.execute(
        select(func.count(), func.coalesce(func.sum(_measure(ProposalsRow.masks)), 0)).where(
            ~select(TaskRow.id).where(TaskRow.proposals == ProposalsRow.key, ~_is_prunable()).exists()
        )
    ).one()
    return PrunableRows(n_tasks, int(n_explanation_bytes), n_proposals, int(n_proposal_bytes))


def prune_rows(database: Database) -> Iterator[int]:
    """Drop them, a page in each transaction; yield the number of rows of each page.

    It can be stopped and started again, and a server may run meanwhile. The space is used again by the
    database; its file does not shrink.
    """
    yield from _drop_explanations(database)
    yield from _drop_proposals(database)


def _drop_explanations(database: Database) -> Iterator[int]:
    last = 0
    while True:
        with database.begin() as session:
            chosen = select(TaskRow.id).where(TaskRow.id > last, _is_prunable()).order_by(TaskRow.id)
            ids = session.scalars(chosen.limit(_ROWS_PER_PAGE)).all()
            if not ids:
                return
            # The condition again: a decision may have come meanwhile.
            dropped = session.execute(
                update(TaskRow)
                .where(TaskRow.id.in_(ids), _is_prunable())
                .values(explained={}, proposals=None, late_proposals=None)
                .returning(TaskRow.id)
                .execution_options(synchronize_session=False)
            ).all()
        last = ids[-1]
        yield len(dropped)


def _drop_proposals(database: Database) -> Iterator[int]:
    is_unnamed = ~select(TaskRow.id).where(TaskRow.proposals == ProposalsRow.key).exists()
    last = ""
    while True:
        with database.begin() as session:
            chosen = select(ProposalsRow.key).where(ProposalsRow.key > last, is_unnamed)
            keys = session.scalars(chosen.order_by(ProposalsRow.key).limit(_ROWS_PER_PAGE)).all()
            if not keys:
                return
            if session.get_bind().dialect.name == "postgresql":
                session.execute(_KEEP_WRITERS_OUT)
            dropped = session.execute(
                delete(ProposalsRow)
                .where(ProposalsRow.key.in_(keys), is_unnamed)
                .returning(ProposalsRow.key)
                .execution_options(synchronize_session=False)
            ).all()
        last = keys[-1]
        yield len(dropped)


def _is_prunable() -> ColumnElement[bool]:
    later = aliased(TaskRow)
    is_superseded = (
        select(later.id)
        .where(
            later.project == TaskRow.project,
            later.task_id == TaskRow.task_id,
            later.asked == TaskRow.asked,
            later.version != TaskRow.version,
            later.answered_at > TaskRow.answered_at,
        )
        .exists()
    )
    is_decided = (
        select(CorrectionRow.id)
        .where(
            CorrectionRow.project == TaskRow.project,
            CorrectionRow.task_id == TaskRow.task_id,
            CorrectionRow.version == TaskRow.version,
        )
        .exists()
    )
    is_full = or_(TaskRow.proposals.is_not(None), _measure(TaskRow.explained) > _MAX_EMPTY_BYTES)
    return and_(is_full, is_superseded, ~is_decided)


def _measure(column: object) -> ColumnElement[int]:
    return func.length(type_coerce(column, RawBytes()))
