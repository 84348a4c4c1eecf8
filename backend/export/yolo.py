"""YOLO-seg: one text file an image, one polygon a line. It loses holes and edges; how much is measured."""

import json
from collections.abc import Sequence
from pathlib import Path

from backend.core.masks import iou_matrix
from backend.export.dataset import LeftOut, Sample
from backend.labelstudio.polygon import outlines, rasterised


def write_yolo(samples: Sequence[Sample], folder: Path) -> list[LeftOut]:
    """`labels/<split>/<image>.txt`, `expressions.json` and `data.yaml`; what it cannot hold is returned.

    Each expression is a class of its own, because YOLO has no other place for words. A mask of several
    parts is several lines of one class. `expressions.json` says the IoU of every polygon with its mask.
    """
    left_out: list[LeftOut] = []
    classes: list[str] = []
    files: dict[Path, list[str]] = {}
    kept: list[dict[str, object]] = []
    for sample in samples:
        if sample.mask is None:
            left_out.append(
                LeftOut(sample.decision, "YOLO has no place for an expression without a referent")
            )
            continue
        if sample.expression not in classes:
            classes.append(sample.expression)
        number = classes.index(sample.expression)
        parts = outlines(sample.mask)
        path = Path("labels") / sample.split / f"{Path(sample.file_name).stem}.txt"
        points = [" ".join(f"{x / 100:.6f} {y / 100:.6f}" for x, y in part) for part in parts]
        files.setdefault(path, []).extend(f"{number} {line}" for line in points)
        drawn = rasterised(parts, sample.mask.size)
        kept.append(
            {
                "file": path.as_posix(),
                "class": number,
                "image": sample.file_name,
                "image_url": sample.image_url,
                "expression": sample.expression,
                "iou_with_mask": round(float(iou_matrix([drawn], [sample.mask])[0, 0]), 4),
            }
        )
    for path, lines in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    names = "".join(f"  {i}: {json.dumps(name, ensure_ascii=False)}\n" for i, name in enumerate(classes))
    splits = sorted({s.split for s in samples if s.mask is not None})
    head = "".join(f"{split}: images/{split}\n" for split in splits)
    (folder / "data.yaml").write_text(f"path: .\n{head}names:\n{names}", encoding="utf-8")
    (folder / "expressions.json").write_text(
        json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return left_out
