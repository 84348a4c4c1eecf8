"""Find what was ranked for decided tasks, a page at a time: all proposals and the scores of all methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ris.core.decision import Decision
from ris.core.rle import RLE
from ris.core.types import Verdict
from ris.store.records import hash_task_content, masks_from_strings
from ris.store.schema import CorrectionRow, ProposalsRow, TaskRow


@dataclass(frozen=True, slots=True, eq=False)
class RankedProposals:
    """The N proposals that were ranked for one task.

    Attributes:
        masks: the proposals.
        scores: by method, float32 [N]; of another length where they were not stored.
    """

    masks: tuple[RLE, ...]
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
               TaskRow.explained)
        .where(
            TaskRow.project.in_({project for project, *_ in asked}),
            TaskRow.task_id.in_({task_id for _, task_id, *_ in asked}),
            TaskRow.version.in_({version for *_, version in asked if version is not None}),
            TaskRow.proposals.is_not(None),
        )
    )  # fmt: skip
    explained = {(*where, version): (key, found) for *where, version, key, found in rows}
    masks = _find_masks(session, {explained[one][0] for one in asked if one in explained})
    return [
        RankedProposals(
            masks[explained[one][0]],
            {
                name: np.array(stored.get("scores", ()), np.float32)
                for name, stored in explained[one][1].items()
            },
        )
        if one in explained
        else None
        for one in asked
    ]


def _find_masks(session: Session, keys: set[str]) -> dict[str, tuple[RLE, ...]]:
    rows = session.execute(
        select(ProposalsRow.key, ProposalsRow.height, ProposalsRow.width, ProposalsRow.masks).where(
            ProposalsRow.key.in_(keys)
        )
    )
    return {
        key: tuple(masks_from_strings([(counts, height, width) for counts in stored]))
        for key, height, width, stored in rows
    }
