"""RefCOCO and gRefCOCO, for the readers of REFER and gRefCOCO.

RefCOCO: `refs(ris).p`, the same as JSON, and `instances.json`. gRefCOCO: `grefs(ris).json` and its own
`instances.json`. Masks are compressed run lengths in a list of one, which both readers decode without loss;
polygons would lose holes. gRefCOCO can represent expressions without a referent, RefCOCO cannot.
"""

import pickle
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ris.core import rle
from ris.export.dataset import DatasetSample, Omission, number_images
from ris.export.text import write_json

_CATEGORY = {"id": 1, "name": "referent", "supercategory": ""}
_NO_TARGET_ID = -1  # gRefCOCO's id of annotation and category for "no target"


def write_refcoco(samples: Sequence[DatasetSample], folder: Path) -> list[Omission]:
    """Write `refs(ris).p`, `refs(ris).json` and `instances.json`.

    Returns:
        The samples without a referent, with reasons.
    """
    with_mask = [s for s in samples if s.mask is not None]
    images = number_images(with_mask)
    refs, annotations = [], []
    for number, sample in enumerate(with_mask, 1):
        annotations.append(_make_annotation(number, images[sample.image_key], sample))
        refs.append(
            {
                "ref_id": number,
                "ann_id": number,
                "category_id": _CATEGORY["id"],
                "image_id": images[sample.image_key],
                "file_name": sample.file_name,
                "image_url": sample.image_url,
                "split": sample.split,
                **_make_sentences(number, sample),
            }
        )
    folder.mkdir(parents=True, exist_ok=True)
    # REFER unpickles this file, with Python 2 if need be: protocol 2 is the newest that it reads.
    (folder / "refs(ris).p").write_bytes(pickle.dumps(refs, protocol=2))
    write_json(refs, folder / "refs(ris).json", indent=1)
    write_json(_make_instances(with_mask, images, annotations), folder / "instances.json", indent=1)
    return [
        Omission(s.decision, "RefCOCO has no place for an expression without a referent")
        for s in samples
        if s.mask is None
    ]


def write_grefcoco(samples: Sequence[DatasetSample], folder: Path) -> list[Omission]:
    """Write `grefs(ris).json` and `instances.json`; returns no omissions."""
    images = number_images(samples)
    refs, annotations = [], []
    for number, sample in enumerate(samples, 1):
        if sample.mask is not None:
            annotations.append(_make_annotation(number, images[sample.image_key], sample))
        refs.append(
            {
                "ref_id": number,
                "ann_id": [_NO_TARGET_ID if sample.mask is None else number],
                "category_id": [_NO_TARGET_ID if sample.mask is None else _CATEGORY["id"]],
                "image_id": images[sample.image_key],
                "file_name": sample.file_name,
                "image_url": sample.image_url,
                "split": sample.split,
                "no_target": sample.mask is None,
                **_make_sentences(number, sample),
            }
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(refs, folder / "grefs(ris).json", indent=1)
    write_json(_make_instances(samples, images, annotations), folder / "instances.json", indent=1)
    return []


def _make_sentences(number: int, sample: DatasetSample) -> dict[str, Any]:
    sent = to_plain_words(sample.expression)
    sentence = {"sent_id": number, "raw": sample.expression, "sent": sent, "tokens": sent.split()}
    return {"sentences": [sentence], "sent_ids": [number]}


def to_plain_words(expression: str) -> str:
    """Make REFER's `sent`: lower case, without punctuation.

    Combining marks stay, as in Hindi or Thai. An expression that has only punctuation and symbols stays as it
    is.
    """
    words = "".join(" " if _is_sign(c) else c for c in expression.lower())
    return " ".join(words.split()) or " ".join(expression.split())


def _is_sign(character: str) -> bool:
    kind = unicodedata.category(character)
    return character != "_" and (kind[0] in "PS" or (kind in ("Cc", "Cs") and not character.isspace()))


def _make_instances(
    samples: Sequence[DatasetSample], ids: dict[str, int], annotations: list[dict[str, Any]]
) -> dict[str, Any]:
    images: dict[str, dict[str, Any]] = {}
    for sample in samples:
        images.setdefault(
            sample.image_key,
            {
                "id": ids[sample.image_key],
                "file_name": sample.file_name,
                "image_url": sample.image_url,
                "height": sample.size[0],
                "width": sample.size[1],
            },
        )
    return {"images": list(images.values()), "annotations": annotations, "categories": [_CATEGORY]}


def _make_annotation(number: int, image_id: int, sample: DatasetSample) -> dict[str, Any]:
    mask = sample.mask
    assert mask is not None
    return {
        "id": number,
        "image_id": image_id,
        "category_id": _CATEGORY["id"],
        "segmentation": [{"size": list(mask.size), "counts": rle.to_string(mask)}],
        "area": mask.area_px,
        "bbox": rle.compute_xywh_box(mask),
        "iscrowd": 0,
    }
