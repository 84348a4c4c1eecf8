"""The figures of `ris benchmark vlm`."""

from collections.abc import Sequence
from dataclasses import dataclass

from ris.core.shares import Share, estimate_share
from ris.evaluation.tinyworld.vlm import VlmOutcome, is_any_right

VLM_TABLES = {
    "one of the first masks has IoU > 0.5": (
        "top 1", "top 3", "top 1, learned", "top 3, learned", "top 1, learned, gain", "questions",
    ),
    "late proposals": ("missed by the proposer", "recovered", "recovered, proposals taken away"),
    "probably no such thing": ("precision", "recall", "precision, learned", "recall, learned"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class VlmRun:
    """The outcomes on the test scenes with one model, or without one.

    Attributes:
        before: with the preset's ranking.
        learned: with the ranking that was learned from other scenes.
        recovered: by scene, whether a late proposal has each referent whose proposals were taken away.
        has_model: whether a model was asked.
    """

    before: Sequence[VlmOutcome]
    learned: Sequence[VlmOutcome]
    recovered: Sequence[Sequence[bool]] = ()
    has_model: bool = True


def compute_vlm_figures(run: VlmRun, alone: VlmRun) -> dict[str, Share]:
    """Compute the figures of one run, with intervals over scenes.

    Args:
        run: the outcomes.
        alone: those of the same expressions without a model, for the paired difference after learning.
    """
    found: dict[str, Share] = {}
    for ending, outcomes in (("", run.before), (", learned", run.learned)):
        there = _select_present(outcomes)
        for first in (1, 3):
            found[f"top {first}{ending}"] = _estimate(there, [one.is_right(first) for one in there])
    if not run.has_model:
        return found
    return found | _compute_gain(run, alone) | _compute_late_figures(run) | _compute_absence_figures(run)


def _compute_gain(run: VlmRun, alone: VlmRun) -> dict[str, Share]:
    there, base = _select_present(run.learned), _select_present(alone.learned)
    gains = [
        float(one.is_right(1)) - float(other.is_right(1)) for one, other in zip(there, base, strict=True)
    ]
    questions = [one.n_questions for one in run.before]
    return {"top 1, learned, gain": _estimate(there, gains), "questions": _estimate(run.before, questions)}


def _compute_late_figures(run: VlmRun) -> dict[str, Share]:
    there = _select_present(run.before)
    is_missed = [
        not is_any_right(one.masks[: len(one.masks) - len(one.result.late)], one.referent) for one in there
    ]
    missed = [one for one, is_one in zip(there, is_missed, strict=True) if is_one]
    planted = [(number, is_one) for number, of_scene in enumerate(run.recovered) for is_one in of_scene]
    return {
        "missed by the proposer": _estimate(there, is_missed),
        "recovered": _estimate(missed, [is_any_right(one.masks, one.referent) for one in missed]),
        "recovered, proposals taken away": estimate_share(
            [float(is_one) for _, is_one in planted], [number for number, _ in planted]
        ),
    }


def _compute_absence_figures(run: VlmRun) -> dict[str, Share]:
    found: dict[str, Share] = {}
    for ending, outcomes in (("", run.before), (", learned", run.learned)):
        called = [one for one in outcomes if one.is_called_absent]
        absent = [one for one in outcomes if one.referent is None]
        found[f"precision{ending}"] = _estimate(called, [one.referent is None for one in called])
        found[f"recall{ending}"] = _estimate(absent, [one.is_called_absent for one in absent])
    return found


def _select_present(outcomes: Sequence[VlmOutcome]) -> list[VlmOutcome]:
    return [one for one in outcomes if one.referent is not None]


def _estimate(outcomes: Sequence[VlmOutcome], values: Sequence[float]) -> Share:
    return estimate_share([float(value) for value in values], [one.scene for one in outcomes])
