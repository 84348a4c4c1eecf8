"""All export formats behind one interface: `write(material, folder)` returns omissions and losses."""

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from ris.core.extras import require_extra
from ris.core.rle import RLE
from ris.export import coco
from ris.export.dataset import DatasetSample
from ris.export.imagefile import ImageFile, read_image_file
from ris.export.jsonl import write_jsonl
from ris.export.labelstudio import write_labelstudio
from ris.export.material import Material
from ris.export.omissions import OmissionFile, OmissionList, Omit
from ris.export.pairs import write_pairs
from ris.export.phrasecut import write_phrasecut
from ris.export.refcoco import write_grefcoco, write_refcoco
from ris.export.yolo import write_yolo

MAX_CACHED_IMAGES = 4  # image files in memory while rows are written


@dataclass(frozen=True, slots=True)
class FormatResult:
    """The result of writing one format.

    Attributes:
        omissions: decisions that are not in the files, with reasons.
        loss: how much of the masks is lost, as a sentence; "" if the format is lossless.
    """

    omissions: OmissionList = field(default_factory=OmissionList)
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
    own = OmissionFile()
    coco.write_coco(
        material.records, path, segmentation,
        images=material.images, omit=own.omit, unseen=material.unseen,
    )  # fmt: skip
    return FormatResult(OmissionList([*material.not_chosen, own]))


def _write_jsonl(material: Material, folder: Path) -> FormatResult:
    write_jsonl(material.full_records, folder / "decisions.jsonl")
    return FormatResult(OmissionList(material.not_chosen))


def _write_labelstudio(material: Material, folder: Path) -> FormatResult:
    projects = write_labelstudio(material.full_records, folder, material.controls, material.default_controls)
    simplified = [
        key for key in sorted(projects)
        if not material.controls.get(key, material.default_controls).is_lossless
    ]  # fmt: skip
    loss = f"outlines are simplified in project {', '.join(simplified)}" if simplified else ""
    return FormatResult(OmissionList(material.not_chosen), loss)


def _write_samples(
    write: Callable[[Iterable[DatasetSample], Path, Omit], object], material: Material, folder: Path
) -> FormatResult:
    own = OmissionFile()
    write(material.samples, folder, own.omit)
    return FormatResult(OmissionList([*material.unusable, own]))


def _write_pairs(material: Material, folder: Path) -> FormatResult:
    own = OmissionFile()
    write_pairs(material.full_samples, folder, own.omit)
    return FormatResult(OmissionList([*material.unusable, own]))


def _write_yolo(material: Material, folder: Path) -> FormatResult:
    own, ious = OmissionFile(), array("d")
    write_yolo(material.samples, folder, own.omit, on_loss=ious.append)
    loss = f"IoU with the masks: mean {sum(ious) / len(ious):.4f}, minimum {min(ious):.4f}" if ious else ""
    return FormatResult(OmissionList([*material.unusable, own]), loss)


def _write_huggingface(material: Material, folder: Path) -> FormatResult:
    require_extra("parquet", "pyarrow", "the format huggingface")
    from ris.export.huggingface import write_huggingface  # here: pyarrow is an extra

    @lru_cache(maxsize=MAX_CACHED_IMAGES)  # expressions of one image are mostly adjacent
    def read(file: ImageFile) -> bytes:
        return read_image_file(file, material.images.read_tasks(file), material.fetch)

    own = OmissionFile()
    write_huggingface(material.samples, folder, read, own.omit)
    return FormatResult(OmissionList([*material.unusable, own]))


def _write_phrasecut(material: Material, folder: Path) -> FormatResult:
    own = OmissionFile()
    write_phrasecut(material.samples, folder, material.parse, own.omit)
    return FormatResult(OmissionList([*material.unusable, own]))


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
    "pairs": ExportFormat(".", _write_pairs),
}
