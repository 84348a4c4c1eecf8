"""All export formats behind one interface: `write(material, folder)` returns omissions and losses."""

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

MAX_CACHED_IMAGES = 4  # image files in memory while rows are written


@dataclass(frozen=True, slots=True)
class Material:
    """The input of an export.

    Attributes:
        records: all decisions with a chosen verdict; a task may have several, and may be skipped.
        not_chosen: decisions with another verdict, with reasons.
        samples: the samples of a dataset: one answer for each task, or all, see `make_dataset_samples`.
        unusable: decisions that give no sample, with reasons.
        files: image files by digest.
        unseen: why images could not be fetched.
        fetch: returns the bytes of a task's image file, or raises an ImageError.
        parse: parses the grammar of an expression.
        controls: by project, how its label config writes masks.
        default_controls: the same for projects whose label config is unknown.
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
    """The result of writing one format.

    Attributes:
        omissions: decisions that are not in the files, with reasons.
        loss: how much of the masks is lost, as a sentence; "" if the format is lossless.
    """

    omissions: Sequence[Omission] = ()
    loss: str = ""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One export format.

    Attributes:
        folder: its folder, relative to the folder of the export.
        write: writes the format into a folder and returns the result.
    """

    folder: str
    write: Callable[[Material, Path], FormatResult] = field(repr=False)


def _write_coco_run_lengths(material: Material, folder: Path) -> FormatResult:
    return _write_coco(material, folder / "coco.json", coco.to_run_lengths)


def _write_coco_polygons(material: Material, folder: Path) -> FormatResult:
    return _write_coco(material, folder / "coco_polygons.json", coco.to_polygons)


def _write_coco(material: Material, path: Path, segmentation: Callable[[RLE], object]) -> FormatResult:
    omissions = coco.write_coco(
        material.records, path, segmentation, files=material.files, unseen=material.unseen
    )
    return FormatResult([*material.not_chosen, *omissions])


def _write_jsonl(material: Material, folder: Path) -> FormatResult:
    write_jsonl(material.records, folder / "decisions.jsonl")
    return FormatResult(material.not_chosen)


def _write_labelstudio(material: Material, folder: Path) -> FormatResult:
    write_labelstudio(material.records, folder, material.controls, material.default_controls)
    projects = {d.correction.annotation.task.project for d in material.records}
    simplified = [
        key for key in sorted(projects)
        if not material.controls.get(key, material.default_controls).is_lossless
    ]  # fmt: skip
    loss = f"outlines are simplified in project {', '.join(simplified)}" if simplified else ""
    return FormatResult(material.not_chosen, loss)


def _write_samples(
    write: Callable[[Sequence[DatasetSample], Path], list[Omission]], material: Material, folder: Path
) -> FormatResult:
    return FormatResult([*material.unusable, *write(material.samples, folder)])


def _write_yolo(material: Material, folder: Path) -> FormatResult:
    omissions = [*material.unusable, *write_yolo(material.samples, folder)]
    ious = [one["iou_with_mask"] for one in json.loads((folder / "expressions.json").read_text("utf-8"))]
    loss = f"IoU with the masks: mean {sum(ious) / len(ious):.4f}, minimum {min(ious):.4f}" if ious else ""
    return FormatResult(omissions, loss)


def _write_huggingface(material: Material, folder: Path) -> FormatResult:
    require_extra("parquet", "pyarrow", "the format huggingface")
    from ris.export.huggingface import write_huggingface  # here: pyarrow is an extra

    @lru_cache(maxsize=MAX_CACHED_IMAGES)  # expressions of one image are mostly adjacent
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
