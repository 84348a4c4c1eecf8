"""Find what was ranked for decided tasks, a page at a time: all proposals and the scores of all methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ris.core.decision import Decision
from ris.core.rle import RLE
from ris.core.types import Size, Verdict
from ris.store.records import hash_task_content, masks_from_strings
from ris.store.schema import CorrectionRow, ProposalsRow, TaskRow


@dataclass(frozen=True, slots=True, eq=False)
class RankedProposals:
    """The N proposals that were ranked for one task.

    Attributes:
        masks: the proposals; the late ones of the task's expression come last.
        late: of each late proposal, the method that said where it is.
        absence: by method, whether it said that there is no referent, see `MethodScores`.
        scores: by method, float32 [N]; of another length where they were not stored.
    """

    masks: tuple[RLE, ...]
    late: tuple[str, ...]
    absence: Mapping[str, float]
    scores: Mapping[str, NDArray[np.float32]]


def find_newest_ranked_decisions(
    session: Session, base: str, limit: int, *, project: str | None = None
) -> list[int]:
    """Return the ids in SQL of the current decisions on one base's suggestions, newest first.

    Skipped tasks are left out. The newest decisions are read until there are enough.

    Args:
        session: of the database.
        base: the version of networks and methods; suggestions of rankings learned for it are of this base.
        limit: the most decisions to return.
        project: key of the only project; None for all.
    """
    query = select(CorrectionRow.id).where(
        CorrectionRow.is_current.expression,
        CorrectionRow.verdict != Verdict.SKIPPED.value,
        or_(CorrectionRow.version == base, CorrectionRow.version.startswith(f"{base}-", autoescape=True)),
    )
    if project is not None:
        query = query.where(CorrectionRow.project == project)
    newest = CorrectionRow.updated_at.desc(), CorrectionRow.id.desc()
    return list(session.scalars(query.order_by(*newest).limit(limit)))


def find_ranked_proposals(session: Session, decisions: Sequence[Decision]) -> list[RankedProposals | None]:
    """Return what was ranked for the task of each decision, by two queries; None where it was not stored.

    Args:
        session: of the database.
        decisions: one page of them, because all their proposals are in memory at once.
    """
    asked = [
        (d.correction.annotation.task.project, d.correction.annotation.task.task_id,
         hash_task_content(d.correction.annotation.task), d.version)
        for d in decisions
    ]  # fmt: skip
    rows = session.execute(
        select(TaskRow.project, TaskRow.task_id, TaskRow.asked, TaskRow.version, TaskRow.proposals,
               TaskRow.late_proposals, TaskRow.explained)
        .where(
            TaskRow.project.in_({project for project, *_ in asked}),
            TaskRow.task_id.in_({task_id for _, task_id, *_ in asked}),
            TaskRow.version.in_({version for *_, version in asked if version is not None}),
            TaskRow.proposals.is_not(None),
        )
    )  # fmt: skip
    stored = {row[:4]: row[4:] for row in rows}
    early = _find_masks(session, {stored[one][0] for one in asked if one in stored})
    return [_make_ranked(early, *stored[one]) if one in stored else None for one in asked]


def _make_ranked(
    early: Mapping[str, tuple[Size, tuple[RLE, ...]]],
    key: str,
    late: Sequence[tuple[str, str]] | None,
    explained: Mapping[str, Mapping[str, Any]],
) -> RankedProposals:
    size, masks = early[key]
    late = late or ()
    return RankedProposals(
        (*masks, *masks_from_strings([(counts, *size) for _, counts in late])),
        tuple(method for method, _ in late),
        {name: float(one["absence"]) for name, one in explained.items() if "absence" in one},
        {name: np.array(one.get("scores", ()), np.float32) for name, one in explained.items()},
    )


def _find_masks(session: Session, keys: set[str]) -> dict[str, tuple[Size, tuple[RLE, ...]]]:
    rows = session.execute(
        select(ProposalsRow.key, ProposalsRow.height, ProposalsRow.width, ProposalsRow.masks).where(
            ProposalsRow.key.in_(keys)
        )
    )
    return {
        key: ((height, width), tuple(masks_from_strings([(counts, height, width) for counts in stored])))
        for key, height, width, stored in rows
    }
