"""Learning from cases, and whether what was learned is better on images that it was not learned from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from ris.core.shares import Share, estimate_share
from ris.learning.calibration import compute_brier_scores, fit_calibration
from ris.learning.case import RIGHT_IOU, TrainingCase
from ris.learning.fusion import fit_fusion
from ris.referring.ranking import Calibration, Coefficients

_N_FOLDS = 5
MIN_TRAINING_CASES, MIN_TRAINING_IMAGES = 30, 10


@dataclass(frozen=True, slots=True)
class FitResult:
    """What learning came to.

    Attributes:
        coefficients: to use from now on; None when nothing is better than what is in use.
        summary: a sentence each on the fusion and on the calibration, for people.
        figures: what speaks for it, as plain JSON.
    """

    coefficients: Coefficients | None
    summary: tuple[str, ...]
    figures: Mapping[str, Any]


def fit_coefficients(
    cases: Sequence[TrainingCase], *, prior: Coefficients, current: Coefficients
) -> FitResult:
    """Fit fusion and calibration; each is taken only if held-out images say so, by a paired interval.

    Every case is judged by coefficients that were fitted without its image. What is in use may have been
    fitted on some of them: that makes it look better, and learning more careful.

    Args:
        prior: the preset's own coefficients.
        current: those in use.
    """
    images = {image: number for number, image in enumerate(sorted({case.image for case in cases}))}
    if len(cases) < MIN_TRAINING_CASES or len(images) < MIN_TRAINING_IMAGES:
        why = (
            f"there are {len(cases)} decisions on {len(images)} images to learn from; "
            f"at least {MIN_TRAINING_CASES} on {MIN_TRAINING_IMAGES} are needed"
        )
        return FitResult(None, (why,), {"decisions": len(cases), "images": len(images)})
    groups = [images[case.image] for case in cases]
    held_out = _evaluate_held_out(cases, groups, lambda seen: fit_fusion(seen, prior))
    learned_iou = [iou for _, iou in held_out]
    current_firsts = [case.find_first(current) for case in cases]
    gain = estimate_share(
        [new - old for new, (_, old) in zip(learned_iou, current_firsts, strict=True)], groups
    )
    takes_fusion = gain.low > 0
    firsts = held_out if takes_fusion else current_firsts
    fusion = fit_fusion(cases, prior) if takes_fusion else current
    calibration, calmer = _choose_calibration(firsts, groups, current.calibration)
    figures = {
        "decisions": len(cases),
        "images": len(images),
        "mIoU of the first": _to_json(estimate_share(learned_iou, groups)),
        "mIoU of the first, in use": _to_json(estimate_share([iou for _, iou in current_firsts], groups)),
        "gain": _to_json(gain),
        "Brier score, lower by": _to_json(calmer),
    }
    summary = (
        f"fusion: mIoU of the first {estimate_share(learned_iou, groups).mean:.3f} on held-out images, "
        f"{estimate_share([iou for _, iou in current_firsts], groups).mean:.3f} in use; gain {gain}: "
        + ("taken" if takes_fusion else "not taken, the interval has zero or less"),
        f"calibration: Brier score lower by {calmer} on held-out images: "
        + ("taken" if calibration else "not taken"),
    )
    if not takes_fusion and calibration is None:
        return FitResult(None, summary, figures)
    found = replace(fusion, calibration=calibration or (None if takes_fusion else current.calibration))
    return FitResult(found, summary, figures)


def _evaluate_held_out(
    cases: Sequence[TrainingCase],
    groups: Sequence[int],
    fit: Callable[[Sequence[TrainingCase]], Coefficients],
) -> list[tuple[float, float]]:
    """Of each case the probability and IoU of what came first, fitted without its image."""
    firsts: list[tuple[float, float]] = [(0.0, 0.0)] * len(cases)
    for seen, unseen in GroupKFold(_N_FOLDS).split(np.zeros(len(cases)), groups=groups):
        found = fit([cases[i] for i in seen])
        for i in unseen:
            firsts[i] = cases[i].find_first(found)
    return firsts


def _choose_calibration(
    firsts: Sequence[tuple[float, float]], groups: Sequence[int], current: Calibration | None
) -> tuple[Calibration | None, Share]:
    """A calibration if it is better on held-out images; and by how much its Brier score is lower there."""
    probabilities = [p for p, _ in firsts]
    right = [iou >= RIGHT_IOU for _, iou in firsts]
    gained = np.zeros(len(firsts))
    before = compute_brier_scores(probabilities, right, current)
    for seen, unseen in GroupKFold(_N_FOLDS).split(np.zeros(len(firsts)), groups=groups):
        found = fit_calibration([probabilities[i] for i in seen], [right[i] for i in seen])
        own = compute_brier_scores(
            [probabilities[i] for i in unseen], [right[i] for i in unseen], found or current
        )
        gained[unseen] = before[unseen] - own
    calmer = estimate_share(gained.tolist(), groups)
    return (fit_calibration(probabilities, right) if calmer.low > 0 else None), calmer


def _to_json(value: Share) -> dict[str, float]:
    return {"mean": value.mean, "low": value.low, "high": value.high, "count": value.count}
