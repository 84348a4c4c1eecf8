"""Preference pairs: the final mask, and the alternatives that the annotator rejected."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ris.core import rle
from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.export.dataset import DatasetSample
from ris.export.omissions import Omit
from ris.export.text import write_lines

SAME_IOU = 0.95  # an alternative with at least this IoU with the final mask was not rejected


def write_pairs(samples: Iterable[DatasetSample], folder: Path, omit: Omit) -> None:
    """Write `preferences.jsonl`, one sample per line.

    Args:
        samples: the samples to write.
        folder: the folder; created if missing.
        omit: is called with each sample without a rejected alternative, and the reason.
    """
    write_lines(_make_lines(samples, omit), folder / "preferences.jsonl")


def _make_lines(samples: Iterable[DatasetSample], omit: Omit) -> Iterator[dict[str, Any]]:
    for sample in samples:
        line = to_preference_pair(sample)
        if line["rejected"]:
            yield line
        else:
            omit(sample.decision, "no alternative was rejected")


def to_preference_pair(sample: DatasetSample) -> dict[str, Any]:
    """Make one line of the file.

    Without a referent, `chosen` is null and all alternatives are rejected.
    """
    suggestions = [alternative.suggestion for alternative in sample.decision.alternatives]
    chosen = sample.mask
    rejected = [s for s in suggestions if chosen is None or not _is_same(chosen, s.mask)]
    return {
        "image": sample.image_url,
        "image_sha256": sample.decision.image_digest,
        "expression": sample.expression,
        "split": sample.split,
        "chosen": _to_run_length(chosen) if chosen else None,
        "rejected": [
            {
                "mask": _to_run_length(s.mask),
                "rank": s.rank,
                "score": s.score,
                "methods": {name: {"score": m.score, "rank": m.rank} for name, m in s.methods.items()},
            }
            for s in rejected
        ],
        "model_version": sample.decision.version,
    }


def _is_same(one: RLE, two: RLE) -> bool:
    return one.size == two.size and bool(compute_iou_matrix([one], [two])[0, 0] >= SAME_IOU)


def _to_run_length(mask: RLE) -> dict[str, Any]:
    return {"size": list(mask.size), "counts": rle.to_string(mask)}
