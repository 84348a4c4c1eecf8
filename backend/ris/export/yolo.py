"""YOLO-seg: one text file per image, one polygon per line.

The format loses holes and simplifies edges; the loss is measured as IoU.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ris.core.masks import compute_iou_matrix
from ris.export.dataset import DatasetSample, Omission
from ris.export.text import to_yaml_string, write_json
from ris.labelstudio.masks.polygon import PolygonPoints, rasterise_polygons, trace_outlines

_NO_REFERENT_REASON = "YOLO has no place for an expression without a referent"


def write_yolo(samples: Sequence[DatasetSample], folder: Path) -> list[Omission]:
    """Write `labels/<split>/<image>.txt`, `expressions.json` and `data.yaml`.

    Each expression is a class, because YOLO has no other field for text. A mask of several parts gives
    several lines of one class. `expressions.json` has the IoU of the polygons with each mask.

    Returns:
        The samples without a referent, with reasons.
    """
    with_mask = [sample for sample in samples if sample.mask is not None]
    classes = {name: i for i, name in enumerate(dict.fromkeys(s.expression for s in with_mask))}
    files: dict[Path, list[str]] = {}
    entries: list[dict[str, Any]] = []
    for sample in with_mask:
        assert sample.mask is not None
        parts = trace_outlines(sample.mask)
        path = Path("labels") / sample.split / f"{Path(sample.file_name).stem}.txt"
        files.setdefault(path, []).extend(_make_lines(classes[sample.expression], parts))
        entries.append(_make_entry(path, classes[sample.expression], sample, parts))
    for path, lines in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    write_json(entries, folder / "expressions.json", indent=1)
    text = make_data_yaml(classes, sorted({s.split for s in with_mask}))
    (folder / "data.yaml").write_text(text, encoding="utf-8", newline="\n")
    return [Omission(s.decision, _NO_REFERENT_REASON) for s in samples if s.mask is None]


def make_data_yaml(classes: Iterable[str], splits: Iterable[str]) -> str:
    """Make `data.yaml`: the image folder of each split, and the names of the classes.

    Args:
        classes: the names, by class number.
        splits: names of the splits.
    """
    head = "".join(f"{split}: images/{split}\n" for split in splits)
    names = "".join(f"  {i}: {to_yaml_string(name)}\n" for i, name in enumerate(classes))
    return f"{head}names:\n{names}" if names else f"{head}names: {{}}\n"


def _make_lines(number: int, parts: Sequence[PolygonPoints]) -> list[str]:
    """Make one line for each part; coordinates are relative to width and height, clipped to [0, 1]."""
    return [f"{number} " + " ".join(f"{_to_share(x)} {_to_share(y)}" for x, y in part) for part in parts]


def _to_share(percent: float) -> str:
    return f"{min(max(percent / 100, 0.0), 1.0):.6f}"


def _make_entry(
    path: Path, number: int, sample: DatasetSample, parts: Sequence[PolygonPoints]
) -> dict[str, Any]:
    assert sample.mask is not None
    # A reader sees the rounded coordinates, which can move an edge across the centre of a pixel.
    rounded = [[[float(_to_share(x)) * 100, float(_to_share(y)) * 100] for x, y in part] for part in parts]
    drawn = rasterise_polygons(rounded, sample.mask.size)
    return {
        "file": path.as_posix(),
        "class": number,
        "image": sample.file_name,
        "image_url": sample.image_url,
        "expression": sample.expression,
        "iou_with_mask": round(float(compute_iou_matrix([drawn], [sample.mask])[0, 0]), 4),
    }
