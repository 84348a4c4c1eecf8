"""Every format behind one protocol: material and a folder in, what was left out and what was lost out."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from ris.core.decision import Decision
from ris.core.rle import RLE
from ris.export import coco
from ris.export.dataset import LeftOut, Sample, Unseen
from ris.export.imagefile import ImageFile, read_image_file
from ris.export.jsonl import write_jsonl
from ris.export.labelstudio import write_labelstudio
from ris.export.pairs import write_pairs
from ris.export.phrasecut import write_phrasecut
from ris.export.phrases import Parse
from ris.export.pictures import Fetch
from ris.export.refcoco import write_grefcoco, write_refcoco
from ris.export.yolo import write_yolo
from ris.labelstudio.config.control import Controls

IMAGES_KEPT = 4  # in memory while rows are written


@dataclass(frozen=True, slots=True)
class Material:
    """What there is to write.

    Attributes:
        records: every decision that was asked for, skipped ones and several of one task included.
        not_chosen: those that were not asked for, each with its reason.
        samples: one answer a task, or all, as the rule says; with its split.
        unusable: decisions that are no sample, each with its reason.
        files: the images' by digest.
        unseen: by project and reference, why an image could not be seen.
        fetch: gives an image's bytes; raises an ImageError.
        parse: reads the grammar of an expression.
        controls, default_controls: how each project's label config writes masks, and the others'.
    """

    records: Sequence[Decision]
    not_chosen: Sequence[LeftOut]
    samples: Sequence[Sample]
    unusable: Sequence[LeftOut]
    files: Mapping[str, ImageFile]
    unseen: Unseen
    fetch: Fetch
    parse: Parse
    controls: Mapping[str, Controls]
    default_controls: Controls


@dataclass(frozen=True, slots=True)
class Written:
    """What came of one format.

    Attributes:
        left_out: every decision that is not in it, with its reason.
        loss: what the format cannot hold of the masks, measured; "" when it gives back every pixel.
    """

    left_out: Sequence[LeftOut] = ()
    loss: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        folder: of the export's, where it is written.
        write: the protocol.
    """

    folder: str
    write: Callable[[Material, Path], Written] = field(repr=False)


def _coco(material: Material, folder: Path) -> Written:
    return _write_coco(material, folder / "coco.json", coco.run_lengths)


def _coco_polygons(material: Material, folder: Path) -> Written:
    return _write_coco(material, folder / "coco_polygons.json", coco.polygons)


def _write_coco(material: Material, path: Path, segmentation: Callable[[RLE], object]) -> Written:
    left_out = coco.write_coco(
        material.records, path, segmentation, files=material.files, unseen=material.unseen
    )
    return Written([*material.not_chosen, *left_out])


def _jsonl(material: Material, folder: Path) -> Written:
    write_jsonl(material.records, folder / "decisions.jsonl")
    return Written(material.not_chosen)


def _labelstudio(material: Material, folder: Path) -> Written:
    write_labelstudio(material.records, folder, material.controls, material.default_controls)
    projects = {d.correction.annotation.task.project for d in material.records}
    outlined = [
        key for key in sorted(projects)
        if not material.controls.get(key, material.default_controls).is_lossless
    ]  # fmt: skip
    loss = f"outlines are simplified in project {', '.join(outlined)}" if outlined else ""
    return Written(material.not_chosen, loss)


def _samples(
    write: Callable[[Sequence[Sample], Path], list[LeftOut]], material: Material, folder: Path
) -> Written:
    return Written([*material.unusable, *write(material.samples, folder)])


def _yolo(material: Material, folder: Path) -> Written:
    left_out = [*material.unusable, *write_yolo(material.samples, folder)]
    ious = [one["iou_with_mask"] for one in json.loads((folder / "expressions.json").read_text("utf-8"))]
    mean = f"IoU with the masks {sum(ious) / len(ious):.4f}, the least {min(ious):.4f}" if ious else ""
    return Written(left_out, mean)


def _huggingface(material: Material, folder: Path) -> Written:
    from ris.export.huggingface import write_huggingface  # here: pyarrow, and every command would wait

    @lru_cache(maxsize=IMAGES_KEPT)  # the expressions of an image mostly follow one another
    def read(file: ImageFile) -> bytes:
        return read_image_file(file, material.fetch)

    return Written([*material.unusable, *write_huggingface(material.samples, folder, read)])


def _phrasecut(material: Material, folder: Path) -> Written:
    return Written([*material.unusable, *write_phrasecut(material.samples, folder, material.parse)])


FORMATS: Mapping[str, Format] = {
    "coco": Format(".", _coco),
    "coco-polygons": Format(".", _coco_polygons),
    "jsonl": Format(".", _jsonl),
    "labelstudio": Format(".", _labelstudio),
    "refcoco": Format("refcoco", partial(_samples, write_refcoco)),
    "grefcoco": Format("grefcoco", partial(_samples, write_grefcoco)),
    "phrasecut": Format("phrasecut", _phrasecut),
    "huggingface": Format("huggingface", _huggingface),
    "yolo": Format("yolo", _yolo),
    "pairs": Format(".", partial(_samples, write_pairs)),
}
