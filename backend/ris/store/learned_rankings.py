"""The learned rankings, by version, and the version in use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ris.referring.absence import AbsenceModel
from ris.referring.ranking import Calibration, Coefficients, Fusion
from ris.store.records import add_once
from ris.store.schema import LearnedRankingRow, VersionUseRow


@dataclass(frozen=True, slots=True)
class LearnedRanking:
    """One learned ranking.

    Attributes:
        version: of the suggestions ranked by it.
        base: the version without a learned ranking; a ranking is valid for its base only.
        coefficients: of the ranking.
        figures: the figures of its evaluation, for people to read.
        made_at: when it was learned, in UTC.
    """

    version: str
    base: str
    coefficients: Coefficients
    figures: Mapping[str, Any]
    made_at: datetime


def add_learned_ranking(session: Session, learned: LearnedRanking) -> None:
    """Store a learned ranking, unless its version is stored already."""
    add_once(
        session, LearnedRankingRow, version=learned.version, base=learned.base,
        coefficients=_coefficients_to_json(learned.coefficients), figures=dict(learned.figures),
        made_at=learned.made_at,
    )  # fmt: skip


def find_learned_rankings(session: Session) -> Sequence[LearnedRanking]:
    """Return all learned rankings, oldest first."""
    return [
        _to_learned_ranking(row)
        for row in session.scalars(select(LearnedRankingRow).order_by(LearnedRankingRow.id))
    ]


def set_version_in_use(session: Session, base: str, version: str, *, now: datetime) -> None:
    """Use this version from now on; the base itself means no learned ranking."""
    session.add(VersionUseRow(base=base, version=version, since=now))
    session.flush()


def find_ranking_in_use(session: Session, base: str) -> LearnedRanking | None:
    """Return the learned ranking in use for a base; None without one."""
    newest = (
        select(VersionUseRow.version)
        .where(VersionUseRow.base == base)
        .order_by(VersionUseRow.id.desc())
        .limit(1)
    )
    row = session.scalars(
        select(LearnedRankingRow).where(
            LearnedRankingRow.base == base, LearnedRankingRow.version == newest.scalar_subquery()
        )
    ).one_or_none()
    return _to_learned_ranking(row) if row else None


def _to_learned_ranking(row: LearnedRankingRow) -> LearnedRanking:
    return LearnedRanking(
        row.version, row.base, _coefficients_from_json(row.coefficients), row.figures, row.made_at
    )


def _coefficients_to_json(coefficients: Coefficients) -> dict[str, Any]:
    calibration, absence = coefficients.calibration, coefficients.absence
    return {
        "fusion": _fusion_to_json(coefficients.fusion),
        "by_kind": {kind: _fusion_to_json(fusion) for kind, fusion in coefficients.by_kind.items()},
        "calibration": {"slope": calibration.slope, "intercept": calibration.intercept}
        if calibration
        else None,
        "absence": {"intercept": absence.intercept, "weights": dict(absence.weights)} if absence else None,
    }


def _fusion_to_json(fusion: Fusion) -> dict[str, Any]:
    return {"temperatures": dict(fusion.temperatures), "weights": dict(fusion.weights)}


def _coefficients_from_json(stored: Mapping[str, Any]) -> Coefficients:
    return Coefficients(
        fusion=Fusion(**stored["fusion"]),
        by_kind={kind: Fusion(**fusion) for kind, fusion in stored["by_kind"].items()},
        calibration=Calibration(**stored["calibration"]) if stored["calibration"] else None,
        absence=AbsenceModel(**stored["absence"]) if stored.get("absence") else None,
    )
