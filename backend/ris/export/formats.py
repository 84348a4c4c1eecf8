"""Every format behind one protocol: material and a folder in, what was left out and what was lost out."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from ris.core.decision import Decision
from ris.core.extras import require_extra
from ris.core.rle import RLE
from ris.export import coco
from ris.export.dataset import DatasetSample, Omission, UnseenReasons
from ris.export.imagefile import ImageFile, read_image_file
from ris.export.jsonl import write_jsonl
from ris.export.labelstudio import write_labelstudio
from ris.export.pairs import write_pairs
from ris.export.phrasecut import write_phrasecut
from ris.export.phrases import ExpressionParser
from ris.export.pictures import ImageBytesSource
from ris.export.refcoco import write_grefcoco, write_refcoco
from ris.export.yolo import write_yolo
from ris.labelstudio.config.control import Controls

MAX_CACHED_IMAGES = 4  # in memory while rows are written


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
    not_chosen: Sequence[Omission]
    samples: Sequence[DatasetSample]
    unusable: Sequence[Omission]
    files: Mapping[str, ImageFile]
    unseen: UnseenReasons
    fetch: ImageBytesSource
    parse: ExpressionParser
    controls: Mapping[str, Controls]
    default_controls: Controls


@dataclass(frozen=True, slots=True)
class FormatResult:
    """What came of one format.

    Attributes:
        left_out: every decision that is not in it, with its reason.
        loss: what the format cannot hold of the masks, measured; "" when it gives back every pixel.
    """

    left_out: Sequence[Omission] = ()
    loss: str = ""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One format.

    Attributes:
        folder: of the export's, where it is written.
        write: the protocol.
    """

    folder: str
    write: Callable[[Material, Path], FormatResult] = field(repr=False)


def _write_coco_run_lengths(material: Material, folder: Path) -> FormatResult:
    return _write_coco(material, folder / "coco.json", coco.to_run_lengths)


def _write_coco_polygons(material: Material, folder: Path) -> FormatResult:
    return _write_coco(material, folder / "coco_polygons.json", coco.to_polygons)


def _write_coco(material: Material, path: Path, segmentation: Callable[[RLE], object]) -> FormatResult:
    left_out = coco.write_coco(
        material.records, path, segmentation, files=material.files, unseen=material.unseen
    )
    return FormatResult([*material.not_chosen, *left_out])


def _write_jsonl(material: Material, folder: Path) -> FormatResult:
    write_jsonl(material.records, folder / "decisions.jsonl")
    return FormatResult(material.not_chosen)


def _write_labelstudio(material: Material, folder: Path) -> FormatResult:
    write_labelstudio(material.records, folder, material.controls, material.default_controls)
    projects = {d.correction.annotation.task.project for d in material.records}
    outlined = [
        key for key in sorted(projects)
        if not material.controls.get(key, material.default_controls).is_lossless
    ]  # fmt: skip
    loss = f"outlines are simplified in project {', '.join(outlined)}" if outlined else ""
    return FormatResult(material.not_chosen, loss)


def _write_samples(
    write: Callable[[Sequence[DatasetSample], Path], list[Omission]], material: Material, folder: Path
) -> FormatResult:
    return FormatResult([*material.unusable, *write(material.samples, folder)])


def _write_yolo(material: Material, folder: Path) -> FormatResult:
    left_out = [*material.unusable, *write_yolo(material.samples, folder)]
    ious = [one["iou_with_mask"] for one in json.loads((folder / "expressions.json").read_text("utf-8"))]
    mean = f"IoU with the masks {sum(ious) / len(ious):.4f}, the least {min(ious):.4f}" if ious else ""
    return FormatResult(left_out, mean)


def _write_huggingface(material: Material, folder: Path) -> FormatResult:
    require_extra("parquet", "pyarrow", "the format huggingface")
    from ris.export.huggingface import write_huggingface  # here: pyarrow is an extra

    @lru_cache(maxsize=MAX_CACHED_IMAGES)  # the expressions of an image mostly follow one another
    def read(file: ImageFile) -> bytes:
        return read_image_file(file, material.fetch)

    return FormatResult([*material.unusable, *write_huggingface(material.samples, folder, read)])


def _write_phrasecut(material: Material, folder: Path) -> FormatResult:
    return FormatResult([*material.unusable, *write_phrasecut(material.samples, folder, material.parse)])


EXPORT_FORMATS: Mapping[str, ExportFormat] = {
    "coco": ExportFormat(".", _write_coco_run_lengths),
    "coco-polygons": ExportFormat(".", _write_coco_polygons),
    "jsonl": ExportFormat(".", _write_jsonl),
    "labelstudio": ExportFormat(".", _write_labelstudio),
    "refcoco": ExportFormat("refcoco", partial(_write_samples, write_refcoco)),
    "grefcoco": ExportFormat("grefcoco", partial(_write_samples, write_grefcoco)),
    "phrasecut": ExportFormat("phrasecut", _write_phrasecut),
    "huggingface": ExportFormat("huggingface", _write_huggingface),
    "yolo": ExportFormat("yolo", _write_yolo),
    "pairs": ExportFormat(".", partial(_write_samples, write_pairs)),
}
