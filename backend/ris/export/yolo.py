"""YOLO-seg: one text file per image, one polygon per line.

The format loses holes and simplifies edges; the loss is measured as IoU.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ris.core.masks import compute_iou_matrix
from ris.export.dataset import DatasetSample
from ris.export.imagefile import ImageFile, ImageNumbers
from ris.export.omissions import Omit
from ris.export.text import open_json_list, open_replacing, to_yaml_string
from ris.export.text_numbers import TextNumbers
from ris.labelstudio.masks.polygon import PolygonPoints, rasterise_polygons, trace_outlines

_NO_REFERENT_REASON = "YOLO has no place for an expression without a referent"


def write_yolo(
    samples: Iterable[DatasetSample],
    folder: Path,
    omit: Omit,
    *,
    on_loss: Callable[[float], None] = lambda iou: None,
) -> None:
    """Write `labels/<split>/<image>.txt`, `expressions.json` and `data.yaml`.

    Each expression is a class, because YOLO has no other field for text. A mask of several parts gives
    several lines of one class. `expressions.json` has the IoU of the polygons with each mask.

    Args:
        samples: the samples to write.
        folder: the folder; created if missing.
        omit: is called with each sample without a referent, and the reason.
        on_loss: is called with the IoU of each sample.
    """
    classes, labels, splits = TextNumbers(), _LabelFiles(folder), set()
    with open_json_list(folder / "expressions.json", indent=1) as entries:
        for sample in samples:
            if sample.mask is None:
                omit(sample.decision, _NO_REFERENT_REASON)
                continue
            number = classes.assign(sample.expression)
            parts = trace_outlines(sample.mask)
            path = Path("labels") / sample.split / f"{Path(sample.file_name).stem}.txt"
            labels.add(path, sample.file, _make_lines(number, parts))
            splits.add(sample.split)
            entry = _make_entry(path, number, sample, parts)
            entries.add(entry)
            on_loss(entry["iou_with_mask"])
    with open_replacing(folder / "data.yaml") as file:
        for text in make_data_yaml(classes, sorted(splits)):
            file.write(text.encode())


class _LabelFiles:
    """Writes the text files of the images."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._images = folder, ImageNumbers()

    def add(self, path: Path, file: ImageFile, lines: Sequence[str]) -> None:
        """Add lines to the text of an image; the first ones replace the file of the export before."""
        _, is_new = self._images.assign(file)
        whole = self._folder / path
        if is_new:
            whole.parent.mkdir(parents=True, exist_ok=True)
        with whole.open("w" if is_new else "a", encoding="utf-8", newline="\n") as written:
            written.write("".join(line + "\n" for line in lines))


def make_data_yaml(classes: Iterable[str], splits: Iterable[str]) -> Iterator[str]:
    """Yield the parts of `data.yaml`: the image folder of each split, and the names of the classes.

    Args:
        classes: the names, by class number.
        splits: names of the splits.
    """
    yield from (f"{split}: images/{split}\n" for split in splits)
    yield "names:"
    is_empty = True
    for i, name in enumerate(classes):
        yield ("\n" if is_empty else "") + f"  {i}: {to_yaml_string(name)}\n"
        is_empty = False
    if is_empty:
        yield " {}\n"


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
