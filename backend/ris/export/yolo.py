"""YOLO-seg: one text file an image, one polygon a line. It loses holes and edges; how much is measured."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ris.core.masks import compute_iou_matrix
from ris.export.dataset import DatasetSample, Omission
from ris.export.text import to_yaml_string, write_json
from ris.labelstudio.masks.polygon import PolygonPoints, rasterise_polygons, trace_outlines

_NO_REFERENT_REASON = "YOLO has no place for an expression without a referent"


def write_yolo(samples: Sequence[DatasetSample], folder: Path) -> list[Omission]:
    """`labels/<split>/<image>.txt`, `expressions.json` and `data.yaml`; what it cannot hold is returned.

    Each expression is a class of its own, because YOLO has no other place for words. A mask of several
    parts is several lines of one class. `expressions.json` says the IoU of every polygon with its mask.
    """
    with_mask = [sample for sample in samples if sample.mask is not None]
    classes = {name: i for i, name in enumerate(dict.fromkeys(s.expression for s in with_mask))}
    files: dict[Path, list[str]] = {}
    kept: list[dict[str, Any]] = []
    for sample in with_mask:
        assert sample.mask is not None
        parts = trace_outlines(sample.mask)
        path = Path("labels") / sample.split / f"{Path(sample.file_name).stem}.txt"
        files.setdefault(path, []).extend(_make_lines(classes[sample.expression], parts))
        kept.append(_make_entry(path, classes[sample.expression], sample, parts))
    for path, lines in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    write_json(kept, folder / "expressions.json", indent=1)
    text = make_data_yaml(classes, sorted({s.split for s in with_mask}))
    (folder / "data.yaml").write_text(text, encoding="utf-8", newline="\n")
    return [Omission(s.decision, _NO_REFERENT_REASON) for s in samples if s.mask is None]


def make_data_yaml(classes: Iterable[str], splits: Iterable[str]) -> str:
    """Where the images of each split are, from the file's own folder on, and the classes' names."""
    head = "".join(f"{split}: images/{split}\n" for split in splits)
    names = "".join(f"  {i}: {to_yaml_string(name)}\n" for i, name in enumerate(classes))
    return f"{head}names:\n{names}" if names else f"{head}names: {{}}\n"


def _make_lines(number: int, parts: Sequence[PolygonPoints]) -> list[str]:
    """A line a part; its points are shares of width and height, inside the image as YOLO's readers demand."""
    return [f"{number} " + " ".join(f"{_to_share(x)} {_to_share(y)}" for x, y in part) for part in parts]


def _to_share(percent: float) -> str:
    return f"{min(max(percent / 100, 0.0), 1.0):.6f}"


def _make_entry(
    path: Path, number: int, sample: DatasetSample, parts: Sequence[PolygonPoints]
) -> dict[str, Any]:
    assert sample.mask is not None
    drawn = rasterise_polygons(parts, sample.mask.size)
    return {
        "file": path.as_posix(),
        "class": number,
        "image": sample.file_name,
        "image_url": sample.image_url,
        "expression": sample.expression,
        "iou_with_mask": round(float(compute_iou_matrix([drawn], [sample.mask])[0, 0]), 4),
    }
