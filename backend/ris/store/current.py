"""Keep the flag of the version of each answer that counts, and the tallies of these versions by day."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import ColumnElement, and_, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from ris.store.schema import CorrectionRow, DeletionRow, FailureRow, TallyRow

UNKNOWN = -1  # an annotator or a rank that is None; SQL's NULL cannot be part of a key

_IDS_PER_QUERY = 500
_LOCK_KEY = 7_317_460_259_001  # of PostgreSQL's advisory lock; any number that no other program uses


def lock_decisions(session: Session) -> None:
    """Wait until no other transaction writes decisions. SQLite has one writer at a time anyway.

    Two servers could otherwise both flag a version of one answer, because neither sees the other's. Call it
    first in a transaction: a lock that is taken late can wait for its own waiter.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})


def refresh_current(
    session: Session, project: str, *, annotation_ids: Collection[int] = (), task_ids: Collection[int] = ()
) -> None:
    """Set the flags of some answers again, and their tallies; call it after every change of these answers.

    The cost grows with the number of versions of these answers, not with the record.

    Args:
        session: of the database.
        project: its key.
        annotation_ids: of the answers.
        task_ids: of tasks, for all their answers.
    """
    for column, ids in ((CorrectionRow.annotation_id, annotation_ids), (CorrectionRow.task_id, task_ids)):
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            is_named = column.in_(wanted[start : start + _IDS_PER_QUERY])
            _refresh_answers(session, project, is_named)


def rebuild_current(session: Session, project: str) -> None:
    """Set the flags and tallies of a whole project again, after rows were written in another way."""
    _refresh_answers(session, project)


def _refresh_answers(session: Session, project: str, *chosen: ColumnElement[bool]) -> None:
    changed = session.execute(
        update(CorrectionRow)
        .where(CorrectionRow.project == project, *chosen, CorrectionRow.is_current != make_is_current())
        .values(is_current=~CorrectionRow.is_current)
        .returning(
            CorrectionRow.updated_at, CorrectionRow.annotator, CorrectionRow.verdict, CorrectionRow.rank,
            CorrectionRow.is_current,
        )
        .execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    steps: Counter[tuple[date, int, str, int]] = Counter()
    for at, annotator, verdict, rank, is_current in changed:
        person, place = (UNKNOWN if number is None else number for number in (annotator, rank))
        steps[at.date(), person, verdict, place] += 1 if is_current else -1
    for (day, person, verdict, place), step in sorted(steps.items()):
        if step:
            key = {"project": project, "day": day, "annotator": person, "verdict": verdict, "rank": place}
            _add_to_tally(session, key, step)


def make_is_current() -> ColumnElement[bool]:
    """Return the rule by which a version counts: it is the newest one, is not deleted and was not taken back.

    The order in which events arrived does not matter: an older version that arrives late does not count, and
    what was deleted stays deleted. An answer whose newest version cannot be read has no version that counts,
    because its annotator replaced the older one.
    """
    newer = aliased(CorrectionRow)
    has_newer = (
        select(newer.id)
        .where(
            newer.project == CorrectionRow.project,
            newer.annotation_id == CorrectionRow.annotation_id,
            newer.updated_at > CorrectionRow.updated_at,
        )
        .exists()
    )
    is_gone = (
        select(DeletionRow.id)
        .where(
            DeletionRow.project == CorrectionRow.project,
            or_(
                and_(DeletionRow.kind == "annotation", DeletionRow.gone_id == CorrectionRow.annotation_id),
                and_(DeletionRow.kind == "task", DeletionRow.gone_id == CorrectionRow.task_id),
            ),
        )
        .exists()
    )
    was_taken_back = (
        select(FailureRow.id)
        .where(
            FailureRow.project == CorrectionRow.project,
            FailureRow.annotation_id == CorrectionRow.annotation_id,
            FailureRow.updated_at > CorrectionRow.updated_at,
        )
        .exists()
    )
    return and_(~has_newer, ~is_gone, ~was_taken_back)


def _add_to_tally(session: Session, key: Mapping[str, object], step: int) -> None:
    make_insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        make_insert(TallyRow)
        .values(n_decisions=step, **key)
        .on_conflict_do_update(index_elements=list(key), set_={"n_decisions": TallyRow.n_decisions + step})
    )
