"""PhraseCut: `refer_<split>.json` with polygons, `image_data_split3000.json`, `name_att_rel_count.json`.

Its polygons run through the outermost pixels, and masks with holes are cut into pieces without, so that the
loader's own drawing gives back every pixel. It has no expression without a referent, and no parse is kept
here: the name of a phrase is the phrase, its type "verbose".
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.core import rle
from backend.core.outline import centre_outlines
from backend.export.dataset import LeftOut, Sample, image_ids


def write_phrasecut(samples: Sequence[Sample], folder: Path) -> list[LeftOut]:
    """The three kinds of file; expressions without a referent are returned."""
    with_mask = [sample for sample in samples if sample.mask is not None]
    ids = image_ids(with_mask)
    folder.mkdir(parents=True, exist_ok=True)
    for split in sorted({sample.split for sample in with_mask}):
        tasks = [
            _task(number, ids[sample.image_key], sample)
            for number, sample in enumerate(with_mask, 1)
            if sample.split == split
        ]
        _write(folder / f"refer_{split}.json", tasks)
    images = {ids[sample.image_key]: sample for sample in reversed(with_mask)}
    _write(
        folder / "image_data_split3000.json",
        [
            {
                "image_id": number,
                "coco_id": None,
                "flickr_id": None,
                "height": sample.size[0],
                "width": sample.size[1],
                "url": sample.image_url,
                "file_name": sample.file_name,
                "split": sample.split,
            }
            for number, sample in sorted(images.items())
        ],
    )
    names: dict[str, int] = {}
    for sample in with_mask:
        names[sample.expression] = names.get(sample.expression, 0) + 1
    counted = sorted(names.items(), key=lambda item: (-item[1], item[0]))
    _write(folder / "name_att_rel_count.json", {"name": counted, "att": [], "rel": []})
    return [
        LeftOut(sample.decision, "PhraseCut has no place for an expression without a referent")
        for sample in samples
        if sample.mask is None
    ]


def _task(number: int, image_id: int, sample: Sample) -> dict[str, Any]:
    assert sample.mask is not None
    return {
        "task_id": f"{image_id}__{number}",
        "image_id": image_id,
        "ann_ids": [number],
        "instance_boxes": [rle.box_xywh(sample.mask)],
        "Polygons": [[outline.tolist() for outline in centre_outlines(sample.mask)]],
        "phrase": sample.expression,
        "phrase_structure": {
            "name": sample.expression,
            "attributes": [],
            "relation_ids": [],
            "relation_descriptions": [],
            "type": "verbose",
        },
    }


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
