"""Learning from cases, and whether what was learned is better on images that it was not learned from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from ris.core.shares import Share, share
from ris.learning.calibration import brier, fit_calibration
from ris.learning.case import RIGHT_IOU, Case
from ris.learning.fusion import fit_fusion
from ris.referring.ranking import Calibration, Coefficients

FOLDS = 5
FEWEST_CASES, FEWEST_IMAGES = 30, 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What learning came to.

    Attributes:
        coefficients: to use from now on; None when nothing is better than what is in use.
        says: a sentence each on the fusion and on the calibration, for people.
        figures: what speaks for it, as plain JSON.
    """

    coefficients: Coefficients | None
    says: tuple[str, ...]
    figures: Mapping[str, Any]


def learn(cases: Sequence[Case], *, prior: Coefficients, current: Coefficients) -> Finding:
    """Fit fusion and calibration; each is taken only if held-out images say so, by a paired interval.

    Every case is judged by coefficients that were fitted without its image. What is in use may have been
    fitted on some of them: that makes it look better, and learning more careful.

    Args:
        prior: the preset's own coefficients.
        current: those in use.
    """
    images = {image: number for number, image in enumerate(sorted({case.image for case in cases}))}
    if len(cases) < FEWEST_CASES or len(images) < FEWEST_IMAGES:
        why = (
            f"there are {len(cases)} decisions on {len(images)} images to learn from; "
            f"at least {FEWEST_CASES} on {FEWEST_IMAGES} are needed"
        )
        return Finding(None, (why,), {"decisions": len(cases), "images": len(images)})
    groups = [images[case.image] for case in cases]
    held_out = _held_out(cases, groups, lambda seen: fit_fusion(seen, prior))
    learned_iou = [iou for _, iou in held_out]
    current_firsts = [case.first(current) for case in cases]
    gain = share([new - old for new, (_, old) in zip(learned_iou, current_firsts, strict=True)], groups)
    takes_fusion = gain.low > 0
    firsts = held_out if takes_fusion else current_firsts
    fusion = fit_fusion(cases, prior) if takes_fusion else current
    calibration, calmer = _calibration(firsts, groups, current.calibration)
    figures = {
        "decisions": len(cases),
        "images": len(images),
        "mIoU of the first": _as_json(share(learned_iou, groups)),
        "mIoU of the first, in use": _as_json(share([iou for _, iou in current_firsts], groups)),
        "gain": _as_json(gain),
        "Brier score, lower by": _as_json(calmer),
    }
    says = (
        f"fusion: mIoU of the first {share(learned_iou, groups).mean:.3f} on held-out images, "
        f"{share([iou for _, iou in current_firsts], groups).mean:.3f} in use; gain {gain}: "
        + ("taken" if takes_fusion else "not taken, the interval has zero or less"),
        f"calibration: Brier score lower by {calmer} on held-out images: "
        + ("taken" if calibration else "not taken"),
    )
    if not takes_fusion and calibration is None:
        return Finding(None, says, figures)
    found = replace(fusion, calibration=calibration or (None if takes_fusion else current.calibration))
    return Finding(found, says, figures)


def _held_out(
    cases: Sequence[Case], groups: Sequence[int], fit: Callable[[Sequence[Case]], Coefficients]
) -> list[tuple[float, float]]:
    """Of each case the probability and IoU of what came first, fitted without its image."""
    firsts: list[tuple[float, float]] = [(0.0, 0.0)] * len(cases)
    for seen, unseen in GroupKFold(FOLDS).split(np.zeros(len(cases)), groups=groups):
        found = fit([cases[i] for i in seen])
        for i in unseen:
            firsts[i] = cases[i].first(found)
    return firsts


def _calibration(
    firsts: Sequence[tuple[float, float]], groups: Sequence[int], current: Calibration | None
) -> tuple[Calibration | None, Share]:
    """A calibration if it is better on held-out images; and by how much its Brier score is lower there."""
    probabilities = [p for p, _ in firsts]
    right = [iou >= RIGHT_IOU for _, iou in firsts]
    gained = np.zeros(len(firsts))
    before = brier(probabilities, right, current)
    for seen, unseen in GroupKFold(FOLDS).split(np.zeros(len(firsts)), groups=groups):
        found = fit_calibration([probabilities[i] for i in seen], [right[i] for i in seen])
        own = brier([probabilities[i] for i in unseen], [right[i] for i in unseen], found or current)
        gained[unseen] = before[unseen] - own
    calmer = share(gained.tolist(), groups)
    return (fit_calibration(probabilities, right) if calmer.low > 0 else None), calmer


def _as_json(value: Share) -> dict[str, float]:
    return {"mean": value.mean, "low": value.low, "high": value.high, "count": value.count}
