"""The figures of a benchmark as the papers count them, from rows of its results."""

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
    """What one ranking got right in one split.

    Attributes:
        o_iou: oIoU, total intersection over total union (gRefCOCO: cIoU), in [0, 1].
        m_iou: mIoU, mean of the IoUs (gRefCOCO: gIoU), with its interval over images.
        precision: P@t by threshold t, share of the expressions with a referent whose IoU is at least t.
        n_acc: gRefCOCO's N-acc, share of the expressions without a referent for which nothing was offered; no
            samples where there are no such expressions.
        t_acc: gRefCOCO's T-acc, share of those with a referent for which something was.
        missed: expressions with a reason for being missed, by reason.
        seconds: an expression, in the mean.

    Source: `refer_evaluation.py` of henghuiding/ReLA for N-acc and T-acc, where "no target" is what counts as
    positive; `test.py` of yz93/LAVT-RIS for P@t, which compares with "at least".
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
    """One split of one dataset with the figures of every ranking, methods first and then their fusion."""

    dataset: str
    split_by: str
    split: str
    count: int
    images: int
    by_method: dict[str, RankingMetrics]

    def to_json_object(self) -> dict[str, Any]:
        """The same as plain numbers; nothing that JSON has no word for."""
        rankings = {name: _to_json_value(asdict(figures)) for name, figures in self.by_method.items()}
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
    """The figures of every split in a table of results, in the order of their first rows."""
    keys = table.group_by(["dataset", "split_by", "split"], use_threads=False).aggregate([])
    for key in keys.to_pylist():
        rows = _filter_rows(table, **key)
        methods = pc.unique(rows["method"]).to_pylist()
        by_method = {method: compute_ranking_metrics(_filter_rows(rows, method=method)) for method in methods}
        count = max(found.m_iou.count for found in by_method.values())
        yield SplitMetrics(**key, count=count, images=len(pc.unique(rows["image"])), by_method=by_method)


def compute_ranking_metrics(rows: pa.Table) -> RankingMetrics:
    """The figures of one ranking: every row is one expression."""
    iou, has_referent = rows["iou"].to_numpy(), rows["has_referent"].to_numpy()
    images = np.unique(rows["image"].to_numpy(), return_inverse=True)[1]
    is_masked = rows["mask"].to_numpy() != ""
    is_right_about_nothing = ~has_referent & (iou == 1)
    union = int(rows["union_px"].to_numpy().sum())
    reasons = rows["reason"].filter(pc.not_equal(rows["reason"], "")).value_counts().to_pylist()
    return RankingMetrics(
        o_iou=int(rows["intersection_px"].to_numpy().sum()) / union if union else 0.0,
        m_iou=estimate_share(iou, images),
        precision={t: _compute_share(iou >= t, images, has_referent) for t in PRECISION_THRESHOLDS},
        n_acc=_compute_share(is_right_about_nothing, images, ~has_referent),
        t_acc=_compute_share(is_masked, images, has_referent),
        missed={one["values"]: one["counts"] for one in reasons},
        seconds=float(rows["seconds"].to_numpy().mean()),
    )


def _compute_share(is_so: NDArray[np.bool_], images: NDArray[np.int_], among: NDArray[np.bool_]) -> Share:
    return estimate_share(is_so[among].astype(np.float64).tolist(), images[among].tolist())


def _filter_rows(table: pa.Table, **values: str) -> pa.Table:
    for name, value in values.items():
        table = table.filter(pc.equal(table[name], value))
    return table
