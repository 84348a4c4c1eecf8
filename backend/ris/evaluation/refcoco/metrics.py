"""Metrics of a benchmark as the papers define them, computed from the rows of its results."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ris.core.shares import Share, estimate_share

PRECISION_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class RankingMetrics:
    """Metrics of one ranking in one split.

    Attributes:
        o_iou: oIoU, total intersection over total union (gRefCOCO: cIoU), in [0, 1].
        m_iou: mIoU, mean of the IoUs (gRefCOCO: gIoU), with its interval over images.
        precision: P@t by threshold t: share of the expressions with a referent whose IoU is at least t.
        n_acc: N-acc of gRefCOCO: share of the expressions without a referent for which no mask was offered.
            Its count is 0 if there are no such expressions.
        t_acc: T-acc of gRefCOCO: share of the expressions with a referent for which a mask was offered.
        missed: number of expressions without a first mask, by reason.
        seconds: mean time for one expression.

    Source: N-acc and T-acc from `refer_evaluation.py` of henghuiding/ReLA, where "no target" is the positive
    class; P@t from `test.py` of yz93/LAVT-RIS, which compares with >=.
    """

    o_iou: float
    m_iou: Share
    precision: dict[float, Share]
    n_acc: Share
    t_acc: Share
    missed: dict[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class SplitMetrics:
    """Metrics of one split of one dataset.

    Attributes:
        dataset: name of the dataset.
        split_by: who defined the split, such as "unc".
        split: name of the split.
        count: number of expressions.
        images: number of images.
        by_method: metrics by ranking: the methods, then their fusion.
    """

    dataset: str
    split_by: str
    split: str
    count: int
    images: int
    by_method: dict[str, RankingMetrics]

    def to_json_object(self) -> dict[str, Any]:
        """Convert to an object for JSON; NaN becomes None."""
        rankings = {name: _to_json_value(asdict(metrics)) for name, metrics in self.by_method.items()}
        return {
            "dataset": self.dataset,
            "split_by": self.split_by,
            "split": self.split,
            "expressions": self.count,
            "images": self.images,
            "rankings": rankings,
        }


def _to_json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _to_json_value(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def compute_split_metrics(table: pa.Table) -> Iterator[SplitMetrics]:
    """Compute the metrics of each split.

    Args:
        table: rows of `results.RESULTS_SCHEMA`.

    Returns:
        The splits in the order of their first rows.
    """
    keys = table.group_by(["dataset", "split_by", "split"], use_threads=False).aggregate([])
    for key in keys.to_pylist():
        rows = _filter_rows(table, **key)
        methods = pc.unique(rows["method"]).to_pylist()
        by_method = {method: compute_ranking_metrics(_filter_rows(rows, method=method)) for method in methods}
        count = max(metrics.m_iou.count for metrics in by_method.values())
        yield SplitMetrics(**key, count=count, images=len(pc.unique(rows["image"])), by_method=by_method)


def compute_ranking_metrics(rows: pa.Table) -> RankingMetrics:
    """Compute the metrics of one ranking.

    Args:
        rows: rows of `results.RESULTS_SCHEMA` of one split and one ranking, one for each expression.
    """
    iou, has_referent = rows["iou"].to_numpy(), rows["has_referent"].to_numpy()
    images = np.unique(rows["image"].to_numpy(), return_inverse=True)[1]
    has_mask = rows["mask"].to_numpy() != ""
    is_right_without_mask = ~has_referent & (iou == 1)
    union = int(rows["union_px"].to_numpy().sum())
    reasons = rows["reason"].filter(pc.not_equal(rows["reason"], "")).value_counts().to_pylist()
    return RankingMetrics(
        o_iou=int(rows["intersection_px"].to_numpy().sum()) / union if union else 0.0,
        m_iou=estimate_share(iou, images),
        precision={t: _compute_share(iou >= t, images, has_referent) for t in PRECISION_THRESHOLDS},
        n_acc=_compute_share(is_right_without_mask, images, ~has_referent),
        t_acc=_compute_share(has_mask, images, has_referent),
        missed={one["values"]: one["counts"] for one in reasons},
        seconds=float(rows["seconds"].to_numpy().mean()),
    )


def _compute_share(values: NDArray[np.bool_], images: NDArray[np.int_], among: NDArray[np.bool_]) -> Share:
    return estimate_share(values[among].astype(np.float64).tolist(), images[among].tolist())


def _filter_rows(table: pa.Table, **values: str) -> pa.Table:
    for name, value in values.items():
        table = table.filter(pc.equal(table[name], value))
    return table
