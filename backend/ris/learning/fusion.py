"""Fit the fusion's weights and temperatures: one fusion for all expressions, and one per kind of expression.

The weighted geometric mean of softmaxes is a softmax of a weighted sum. So the model is a conditional logit
(McFadden, 1974): the coefficients of the methods' scores, none below 0, that maximise the probability of the
right proposals. An L2 penalty pulls the common fusion towards the preset's, and a kind's fusion towards the
common one. The strength of the penalty is chosen by cross-validation over images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from ris.learning.case import TrainingCase
from ris.referring.ranking import Coefficients, Fusion

_PENALTIES = (
    0.3,
    3.0,
    30.0,
)  # per squared change of a coefficient, on the scale of one case's log-probability
_N_FOLDS = 5
_MIN_CASES_PER_KIND = 20  # a kind with fewer, or with fewer images than folds, keeps the common fusion


@dataclass(frozen=True, slots=True, eq=False)
class _CaseBatch:
    """C cases of M methods as arrays, padded to the largest N.

    Attributes:
        scores: float64 [C, M, N], divided by the methods' temperatures; 0 where a method was skipped.
        offset: float64 [C, N], log of the discounts; minus infinity in the padding.
        is_right: bool [C, N], False in the padding.
    """

    scores: NDArray[np.float64]
    offset: NDArray[np.float64]
    is_right: NDArray[np.bool_]

    def __getitem__(self, chosen: NDArray[np.intp]) -> "_CaseBatch":
        return _CaseBatch(self.scores[chosen], self.offset[chosen], self.is_right[chosen])

    def __len__(self) -> int:
        return len(self.offset)


def fit_fusion(cases: Sequence[TrainingCase], prior: Coefficients) -> Coefficients:
    """Fit the coefficients of the fusion; the prior's calibration stays.

    Args:
        cases: those in which no proposal is right, or all are, are not used.
        prior: the preset's own coefficients; the fit stays near them when there are few cases.
    """
    usable = [case for case in cases if case.is_right.any() and not case.is_right.all()]
    if not usable:
        return prior
    methods = sorted({method for case in usable for method in case.scores})
    temperatures = np.array([prior.fusion.temperatures.get(method, 1.0) for method in methods])
    batch = _make_batch(usable, methods, temperatures)
    start = np.array([prior.fusion.weights.get(method, 1.0) for method in methods])
    start = start / start.sum()
    images = _number_names([case.image for case in usable])
    common = _fit_by_cross_validation(batch, images, start)
    by_kind: dict[str, Fusion] = {}
    for kind in sorted({case.kind for case in usable}):
        own = np.array([i for i, case in enumerate(usable) if case.kind == kind])
        if len(own) >= _MIN_CASES_PER_KIND and len(set(images[own])) >= _N_FOLDS:
            shares = _fit_by_cross_validation(batch[own], images[own], common)
            by_kind[kind] = _to_fusion(methods, temperatures, shares)
    return replace(prior, fusion=_to_fusion(methods, temperatures, common), by_kind=by_kind)


def _fit_by_cross_validation(
    batch: _CaseBatch, images: NDArray[np.intp], towards: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit the shares [M] with the penalty that is best on held-out images; `towards` itself may be best."""
    n_folds = min(_N_FOLDS, len(set(images)))
    if n_folds < 2:
        return _fit(batch, towards, max(_PENALTIES))
    folds = list(GroupKFold(n_folds).split(np.zeros(len(batch)), groups=images))
    costs = {np.inf: _compute_cost(batch, towards)[0]}
    for penalty in _PENALTIES:
        costs[penalty] = sum(
            _compute_cost(batch[held_out], _fit(batch[seen], towards, penalty))[0] for seen, held_out in folds
        )
    best = min(costs, key=lambda penalty: costs[penalty])
    return towards if best == np.inf else _fit(batch, towards, best)


def _fit(batch: _CaseBatch, towards: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    def compute_penalised_cost(shares: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        cost, gradient = _compute_cost(batch, shares)
        change = shares - towards
        return cost + penalty * float(change @ change), gradient + 2 * penalty * change

    found = minimize(
        compute_penalised_cost, towards, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(towards)
    )
    return np.asarray(found.x, np.float64)


def _compute_cost(batch: _CaseBatch, shares: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Compute minus the log-probability of the right proposals, and its gradient by the shares [M]."""
    logits = np.einsum("m,cmn->cn", shares, batch.scores) + batch.offset
    powers = np.exp(logits - logits.max(1, keepdims=True))
    fused = powers / powers.sum(1, keepdims=True)
    of_right = np.where(batch.is_right, fused, 0.0)
    total_right = np.maximum(of_right.sum(1, keepdims=True), 1e-300)
    gradient = np.einsum("cn,cmn->m", fused - of_right / total_right, batch.scores)
    return float(-np.log(total_right).sum()), gradient


def _to_fusion(
    methods: Sequence[str], temperatures: NDArray[np.float64], shares: NDArray[np.float64]
) -> Fusion:
    """Convert shares to weights that sum to 1, and temperatures that keep the scale of the shares."""
    total = float(shares.sum())
    if total <= 0:
        return Fusion(
            _map_by_method(methods, temperatures),
            _map_by_method(methods, np.full(len(methods), 1 / len(methods))),
        )
    return Fusion(_map_by_method(methods, temperatures / total), _map_by_method(methods, shares / total))


def _map_by_method(methods: Sequence[str], values: NDArray[np.float64]) -> Mapping[str, float]:
    return {method: float(value) for method, value in zip(methods, values, strict=True)}


def _make_batch(
    cases: Sequence[TrainingCase], methods: Sequence[str], temperatures: NDArray[np.float64]
) -> _CaseBatch:
    widest = max(len(case.ious) for case in cases)
    scores = np.zeros((len(cases), len(methods), widest))
    offset = np.full((len(cases), widest), -np.inf)
    is_right = np.zeros((len(cases), widest), np.bool_)
    for c, case in enumerate(cases):
        n = len(case.ious)
        for m, method in enumerate(methods):
            if method in case.scores:
                own = case.scores[method].astype(np.float64) / temperatures[m]
                scores[c, m, :n] = own - own.max()
        offset[c, :n] = np.log(case.discount)
        is_right[c, :n] = case.is_right
    return _CaseBatch(scores, offset, is_right)


def _number_names(names: Sequence[str]) -> NDArray[np.intp]:
    return np.asarray(np.unique(np.array(names), return_inverse=True)[1])
