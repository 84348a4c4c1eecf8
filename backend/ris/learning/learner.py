"""Fit coefficients on training cases, and accept them only if they are better on held-out images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from ris.core.shares import Share, estimate_share
from ris.learning.absence import compute_absence_errors, fit_absence
from ris.learning.calibration import compute_brier_scores, fit_calibration
from ris.learning.case import RIGHT_IOU, TrainingCase
from ris.learning.fusion import fit_fusion
from ris.referring.absence import AbsenceModel
from ris.referring.grounder import GROUNDER
from ris.referring.ranking import Calibration, Coefficients, Fusion
from ris.referring.verifier import VERIFIER

FusionFitter = Callable[[Sequence[TrainingCase]], Coefficients]
_N_FOLDS = 5
MIN_TRAINING_CASES, MIN_TRAINING_IMAGES = 30, 10


@dataclass(frozen=True, slots=True)
class FitResult:
    """The result of a fit.

    Attributes:
        coefficients: to use from now on; None when those in use stay.
        summary: one sentence on the fusion and one on the calibration, or one on why nothing was fitted.
        figures: of the evaluation on held-out images, as plain JSON.
    """

    coefficients: Coefficients | None
    summary: tuple[str, ...]
    figures: Mapping[str, Any]


def fit_coefficients(
    cases: Sequence[TrainingCase], *, prior: Coefficients, current: Coefficients
) -> FitResult:
    """Fit fusion and calibration; accept each only if a paired 95 % interval of the gain is above 0.

    Every case is evaluated with coefficients that were fitted without its image. The coefficients in use may
    have been fitted on some of the cases. That favours them, so new ones are accepted less often.

    Args:
        cases: to learn from.
        prior: the preset's own coefficients.
        current: the coefficients in use.
    """
    images = {image: number for number, image in enumerate(sorted({case.image for case in cases}))}
    if len(cases) < MIN_TRAINING_CASES or len(images) < MIN_TRAINING_IMAGES:
        reason = (
            f"there are {len(cases)} decisions on {len(images)} images to learn from; "
            f"at least {MIN_TRAINING_CASES} on {MIN_TRAINING_IMAGES} are needed"
        )
        return FitResult(None, (reason,), {"decisions": len(cases), "images": len(images)})
    groups = [images[case.image] for case in cases]
    fit, held_out = _choose_fit(cases, groups, prior)
    learned_iou = [iou for _, iou in held_out]
    current_firsts = [case.find_first(current) for case in cases]
    gain = estimate_share(
        [new - old for new, (_, old) in zip(learned_iou, current_firsts, strict=True)], groups
    )
    is_better = gain.low > 0
    firsts = held_out if is_better else current_firsts
    fusion = fit(cases) if is_better else current
    calibration, brier_gain = _choose_calibration(firsts, groups, current.calibration)
    figures = {
        "decisions": len(cases),
        "images": len(images),
        "mean IoU, top 1": _to_json(estimate_share(learned_iou, groups)),
        "mean IoU, top 1, in use": _to_json(estimate_share([iou for _, iou in current_firsts], groups)),
        "gain": _to_json(gain),
        "Brier score, lower by": _to_json(brier_gain),
    }
    summary: tuple[str, ...] = (
        f"fusion: mean IoU, top 1: {estimate_share(learned_iou, groups).mean:.3f} on held-out images, "
        f"{estimate_share([iou for _, iou in current_firsts], groups).mean:.3f} in use; gain {gain}: "
        + ("kept" if is_better else "not kept, the interval has zero or less"),
        f"calibration: Brier score lower by {brier_gain} on held-out images: "
        + ("kept" if calibration else "not kept"),
    )
    absence, absence_gain = _choose_absence(cases, groups, current.absence)
    if absence_gain is not None:
        figures["chance of no referent, Brier score, lower by"] = _to_json(absence_gain)
        kept = "kept" if absence else "not kept"
        summary += (f"chance of no referent: Brier score lower by {absence_gain} on held-out images: {kept}",)
    if not is_better and calibration is None and absence is None:
        return FitResult(None, summary, figures)
    found = replace(
        fusion,
        calibration=calibration or (None if is_better else current.calibration),
        absence=absence or current.absence,
    )
    return FitResult(found, summary, figures)


def _choose_fit(
    cases: Sequence[TrainingCase], groups: Sequence[int], prior: Coefficients
) -> tuple[FusionFitter, list[tuple[float, float]]]:
    """Choose which of the methods that ask a model take part: by the mean IoU on held-out images.

    Returned with it: for each case, probability and IoU of the first proposal, fitted without its image.

    What they say also changes what there is to rank and who is asked. So one that is left out has weight 0
    exactly, and the others are fitted as if it had said nothing.
    """
    named = {method for case in cases for method in (*case.scores, *case.late, *case.absence)}
    asking = sorted(named & {GROUNDER, VERIFIER})
    left_out = [methods for n in range(len(asking) + 1) for methods in combinations(asking, n)]
    fits: list[FusionFitter] = [
        partial(_fit_without, methods=methods, prior=prior) if methods else partial(fit_fusion, prior=prior)
        for methods in left_out
    ]
    held_out = [_evaluate_held_out(cases, groups, fit) for fit in fits]
    best = int(np.argmax([np.mean([iou for _, iou in firsts]) for firsts in held_out]))
    return fits[best], held_out[best]


def _fit_without(
    cases: Sequence[TrainingCase], *, methods: Sequence[str], prior: Coefficients
) -> Coefficients:
    """Fit the fusion with weight 0 for some methods, as if they had scored and located nothing."""
    left = [left for case in cases if (left := case.leave_out(methods)) is not None]
    found = fit_fusion(left, prior)
    return replace(
        found,
        fusion=_silence(found.fusion, methods),
        by_kind={kind: _silence(one, methods) for kind, one in found.by_kind.items()},
    )


def _silence(fusion: Fusion, methods: Sequence[str]) -> Fusion:
    return replace(fusion, weights={**fusion.weights, **dict.fromkeys(methods, 0.0)})


def _evaluate_held_out(
    cases: Sequence[TrainingCase], groups: Sequence[int], fit: FusionFitter
) -> list[tuple[float, float]]:
    """Evaluate each case with a fit without its image: probability and IoU of its first proposal."""
    firsts: list[tuple[float, float]] = [(0.0, 0.0)] * len(cases)
    for seen, unseen in GroupKFold(_N_FOLDS).split(np.zeros(len(cases)), groups=groups):
        found = fit([cases[i] for i in seen])
        for i in unseen:
            firsts[i] = cases[i].find_first(found)
    return firsts


def _choose_calibration(
    firsts: Sequence[tuple[float, float]], groups: Sequence[int], current: Calibration | None
) -> tuple[Calibration | None, Share]:
    """Fit a calibration if it is better on held-out images; and its gain in Brier score there."""
    probabilities = [p for p, _ in firsts]
    is_right = [iou >= RIGHT_IOU for _, iou in firsts]
    gains = np.zeros(len(firsts))
    before = compute_brier_scores(probabilities, is_right, current)
    for seen, unseen in GroupKFold(_N_FOLDS).split(np.zeros(len(firsts)), groups=groups):
        found = fit_calibration([probabilities[i] for i in seen], [is_right[i] for i in seen])
        after = compute_brier_scores(
            [probabilities[i] for i in unseen], [is_right[i] for i in unseen], found or current
        )
        gains[unseen] = before[unseen] - after
    gain = estimate_share(gains.tolist(), groups)
    return (fit_calibration(probabilities, is_right) if gain.low > 0 else None), gain


def _choose_absence(
    cases: Sequence[TrainingCase], groups: Sequence[int], current: AbsenceModel | None
) -> tuple[AbsenceModel | None, Share | None]:
    """Fit the chance of no referent if it is better on held-out images, and its gain in Brier score there.

    None and None where no method says anything of it.
    """
    chosen = [i for i, case in enumerate(cases) if case.absence]
    told, own = [cases[i] for i in chosen], [groups[i] for i in chosen]
    if len(set(own)) < _N_FOLDS or (found := fit_absence(told)) is None:
        return None, None
    gains = compute_absence_errors(told, current)
    for seen, unseen in GroupKFold(_N_FOLDS).split(np.zeros(len(told)), groups=own):
        model = fit_absence([told[i] for i in seen]) or current
        gains[unseen] -= compute_absence_errors([told[i] for i in unseen], model)
    gain = estimate_share(gains.tolist(), own)
    return (found if gain.low > 0 else None), gain


def _to_json(value: Share) -> dict[str, float]:
    return {"mean": value.mean, "low": value.low, "high": value.high, "count": value.count}
