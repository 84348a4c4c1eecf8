"""RefCOCO and gRefCOCO, for the readers of REFER and gRefCOCO.

RefCOCO: `refs(ris).p`, the same as JSON, and `instances.json`. gRefCOCO: `grefs(ris).json` and its own
`instances.json`. Masks are compressed run lengths in a list of one, which both readers decode without loss;
polygons would lose holes. gRefCOCO can represent expressions without a referent, RefCOCO cannot.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ris.core import rle
from ris.core.rle import RLE
from ris.export.dataset import DatasetSample
from ris.export.imagefile import ImageNumbers
from ris.export.omissions import Omit
from ris.export.ref_pickle import RefPickler
from ris.export.text import SpooledList, open_json_list, open_replacing, write_json_with_lists

_CATEGORY = {"id": 1, "name": "referent", "supercategory": ""}
_NO_TARGET_ID = -1  # gRefCOCO's id of annotation and category for "no target"
_NO_REFERENT_REASON = "RefCOCO has no place for an expression without a referent"


def write_refcoco(samples: Iterable[DatasetSample], folder: Path, omit: Omit) -> None:
    """Write `refs(ris).p`, `refs(ris).json` and `instances.json`.

    Args:
        samples: the samples to write.
        folder: the folder; created if missing.
        omit: is called with each sample without a referent, and the reason.
    """
    instances, number = _Instances(folder), 0
    with (
        open_replacing(folder / "refs(ris).p") as pickled,
        open_json_list(folder / "refs(ris).json", indent=1) as listed,
    ):
        pickles = RefPickler(pickled)
        for sample in samples:
            if sample.mask is None:
                omit(sample.decision, _NO_REFERENT_REASON)
                continue
            number += 1
            image_id = instances.add(number, sample)
            ref = make_ref(
                number, image_id, sample.expression, sample.file_name, sample.image_url, sample.split
            )
            pickles.add(ref)
            listed.add(ref)
        pickles.close()
    instances.write()


def write_grefcoco(samples: Iterable[DatasetSample], folder: Path, _: Omit) -> None:
    """Write `grefs(ris).json` and `instances.json`; nothing is left out."""
    instances = _Instances(folder)
    with open_json_list(folder / "grefs(ris).json", indent=1) as listed:
        for number, sample in enumerate(samples, 1):
            image_id = instances.add(number, sample)
            listed.add(
                {
                    "ref_id": number,
                    "ann_id": [_NO_TARGET_ID if sample.mask is None else number],
                    "category_id": [_NO_TARGET_ID if sample.mask is None else _CATEGORY["id"]],
                    "image_id": image_id,
                    "file_name": sample.file_name,
                    "image_url": sample.image_url,
                    "split": sample.split,
                    "no_target": sample.mask is None,
                    **_make_sentences(number, sample.expression),
                }
            )
    instances.write()


class _Instances:
    """Writes `instances.json`."""

    def __init__(self, folder: Path) -> None:
        self._path, self._numbers = folder / "instances.json", ImageNumbers()
        self._images, self._annotations = (SpooledList(folder, indent=1, depth=1) for _ in range(2))

    def add(self, number: int, sample: DatasetSample) -> int:
        """Add the image of a sample, and the annotation of its mask; return the image's id."""
        image_id, is_new = self._numbers.assign(sample.file)
        if is_new:
            self._images.add(_make_image(image_id, sample))
        if sample.mask is not None:
            self._annotations.add(_make_annotation(number, image_id, sample.mask))
        return image_id

    def write(self) -> None:
        """Write the file."""
        lists = {"images": self._images, "annotations": self._annotations, "categories": [_CATEGORY]}
        write_json_with_lists(lists, self._path, indent=1)


def make_ref(
    number: int, image_id: int, expression: str, file_name: str, image_url: str, split: str
) -> dict[str, Any]:
    """Make a ref of RefCOCO with one sentence, whose ids are all the number of the ref."""
    return {
        "ref_id": number,
        "ann_id": number,
        "category_id": _CATEGORY["id"],
        "image_id": image_id,
        "file_name": file_name,
        "image_url": image_url,
        "split": split,
        **_make_sentences(number, expression),
    }


def _make_sentences(number: int, expression: str) -> dict[str, Any]:
    sent = to_plain_words(expression)
    sentence = {"sent_id": number, "raw": expression, "sent": sent, "tokens": sent.split()}
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


def _make_image(image_id: int, sample: DatasetSample) -> dict[str, Any]:
    return {
        "id": image_id,
        "file_name": sample.file_name,
        "image_url": sample.image_url,
        "height": sample.size[0],
        "width": sample.size[1],
    }


def _make_annotation(number: int, image_id: int, mask: RLE) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image_id,
        "category_id": _CATEGORY["id"],
        "segmentation": [{"size": list(mask.size), "counts": rle.to_string(mask)}],
        "area": mask.area_px,
        "bbox": rle.compute_xywh_box(mask),
        "iscrowd": 0,
    }
