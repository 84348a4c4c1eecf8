"""RefCOCO's and gRefCOCO's files, as REFER's and gRefCOCO's readers take them.

Source: `refer.py` of lichengunc/refer and `grefer.py` of henghuiding/gRefCOCO. An expression belongs to a
ref, a ref to one annotation (to several, or to -1 for no target, in gRefCOCO); polygons are merged, and so
are run lengths.
"""

import io
import pickle
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pycocotools import mask as coco

from backend.core import rle
from backend.core.masks import union
from backend.core.rle import RLE
from backend.core.types import Size
from backend.datasets.entry import Entry, field_of, read_json
from backend.errors import DatasetError

KINDS = ("refs(*).p", "refs(*).json", "grefs(*).json")
NO_TARGET = -1


def read_refs(folder: Path, split_by: str | None = None) -> Iterator[Entry]:
    """Every sentence of every ref of a folder, in the file's order.

    An image's name is that of `instances.json`. A published ref has one of its own, with the annotation's id
    put to it (`COCO_train2014_000000581857_16.jpg`): there is no such file.

    Args:
        folder: has `instances.json`, and one of `refs(...).p`, `refs(...).json`, `grefs(...).json`.
        split_by: what stands in the brackets, e.g. "unc", "umd" or "google"; None takes the first file.

    Raises:
        DatasetError: a file is missing, or says what cannot be; the message names the ref.
    """
    instances = read_json(folder / "instances.json")
    images = {image["id"]: image for image in field_of(instances, "images", "instances.json")}
    masks = {note["id"]: note for note in field_of(instances, "annotations", "instances.json")}
    for ref in _refs(folder, split_by):
        what = f"ref {ref.get('ref_id')!r:.20}"
        image = images.get(field_of(ref, "image_id", what))
        if image is None:
            raise DatasetError(f"{what}: instances.json has no image {ref['image_id']!r:.20}")
        size = int(image["height"]), int(image["width"])
        mask = _mask(field_of(ref, "ann_id", what), masks, size, what)
        for sentence in field_of(ref, "sentences", what):
            yield Entry(
                expression=str(sentence.get("raw") or field_of(sentence, "sent", what)),
                image=str(image.get("file_name") or field_of(ref, "file_name", what)),
                size=size,
                mask=mask,
                has_referent=mask is not None,
                split=str(field_of(ref, "split", what)),
            )


def splits_by(folder: Path) -> tuple[str, ...]:
    """By whom the refs of a folder are split: what stands in the brackets of its files' names, each once."""
    return tuple(dict.fromkeys(_split_by(path) for path in _files(folder)))


def _files(folder: Path) -> list[Path]:
    return [path for kind in KINDS for path in sorted(folder.glob(kind))]


def _split_by(path: Path) -> str:
    return path.stem.partition("(")[2].removesuffix(")")


def _refs(folder: Path, split_by: str | None) -> Sequence[Mapping[str, Any]]:
    there = _files(folder)
    if not there:
        raise DatasetError(f"{folder} has no refs(...).p, refs(...).json or grefs(...).json")
    found = [path for path in there if split_by in (None, _split_by(path))]
    if not found:
        names = ", ".join(path.name for path in there)
        raise DatasetError(f"{folder} has no refs split by {split_by!r:.40}; it has {names}")
    refs = _unpickled(found[0]) if found[0].suffix == ".p" else read_json(found[0])
    if not isinstance(refs, list) or not all(isinstance(ref, dict) for ref in refs):
        raise DatasetError(f"{found[0]} must hold a list of refs")
    return refs


class _Plain(pickle.Unpickler):
    """Lists, dicts, numbers and text only: a pickle can name programs to run, a dataset has no need to."""

    def find_class(self, module: str, name: str) -> Any:
        raise DatasetError(f"the pickle names {module}.{name}: it is no file of refs, and was not opened")


def _unpickled(path: Path) -> Any:
    try:
        return _Plain(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(f"{path} cannot be unpickled: {type(error).__name__}: {error}") from error


def _mask(annotation: Any, masks: Mapping[Any, Mapping[str, Any]], size: Size, what: str) -> RLE | None:
    numbers = annotation if isinstance(annotation, list) else [annotation]
    if numbers in ([], [NO_TARGET]):
        return None
    parts = []
    for number in numbers:
        if number not in masks:
            raise DatasetError(f"{what}: instances.json has no annotation {number!r:.20}")
        parts.append(decoded(field_of(masks[number], "segmentation", what), size, what))
    return parts[0] if len(parts) == 1 else union(parts)


def decoded(segmentation: Any, size: Size, what: str) -> RLE:
    """COCO's polygons, a run length, or a list of run lengths as one mask.

    Raises:
        DatasetError: it is none of these, or of another size.
    """
    parts = segmentation if isinstance(segmentation, list) else [segmentation]
    try:
        if parts and isinstance(parts[0], list):
            codes = coco.frPyObjects(parts, *size)
        else:
            codes = [
                coco.frPyObjects(part, *size) if isinstance(part["counts"], list)
                else {**part, "counts": str(part["counts"]).encode("ascii")}
                for part in parts
            ]  # fmt: skip
        merged = coco.merge(codes)
        found = rle.from_string(merged["counts"].decode("ascii"), tuple(merged["size"]))
    except Exception as error:
        raise DatasetError(f"{what} has a segmentation that cannot be read: {error}") from error
    if found.size != size:
        raise DatasetError(f"{what} has a mask of {found.size}, its image is {size}")
    return found
