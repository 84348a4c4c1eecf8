"""Read an export back, with the readers of each format where they exist, and compare it with the record."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.datasets.segmentation import decode_segmentation
from ris.errors import BackendError, DatasetError, InputError
from ris.export.dataset import DatasetSample, get_mask
from ris.export.differences import Problems, compare_masks
from ris.export.formats import EXPORT_FORMATS
from ris.export.material import Material
from ris.export.pairs import to_preference_pair
from ris.export.reading import (
    RepeatedPairs,
    StoredAnswers,
    count_lines,
    read_items,
    read_lines,
)
from ris.export.run import REPORT_FILE
from ris.export.selection import ExportOptions
from ris.export.validate_coco import validate_coco
from ris.export.validate_huggingface import validate_huggingface
from ris.export.validate_phrasecut import validate_phrasecut
from ris.export.validate_refs import validate_grefcoco, validate_refcoco
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.masks.polygon import rasterise_polygons
from ris.labelstudio.result import read_mask

MAX_DIFFERENCES = 1_000


def read_export_options(out: Path) -> tuple[ExportOptions, int]:
    """Read the options of an export, and its number of decisions, from its report.

    Raises:
        DatasetError: the folder has no valid report.
    """
    path = out / REPORT_FILE
    try:
        (choice,), (decisions,) = read_items(path, "choice"), read_items(path, "decisions")
        return ExportOptions(**choice), int(decisions)
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{path} is not the report of an export: {error}") from error


def validate_export(
    out: Path,
    options: ExportOptions,
    material: Material,
    *,
    on_progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> dict[str, list[str]]:
    """Compare all formats of an export with the record.

    Args:
        out: the folder of the export.
        options: the options of the export.
        material: the input of the export, from the record.
        on_progress: is called with the name of a format, its number of items done and of all items.

    Returns:
        By format, one sentence for each difference; after `MAX_DIFFERENCES` the comparison of a format stops.
    """
    problems: dict[str, list[str]] = {}
    for name in options.formats:
        watched = material and material.watch(partial(on_progress, name))
        try:
            found = VALIDATORS[name](watched, out / EXPORT_FORMATS[name].folder)
            problems[name] = list(islice(found, MAX_DIFFERENCES))
        except BackendError as error:
            problems[name] = [str(error)]
        if len(problems[name]) == MAX_DIFFERENCES:
            problems[name].append("the comparison stopped here")
    return problems


def _read_masked(material: Material) -> Iterator[DatasetSample]:
    return (sample for sample in material.samples if sample.mask is not None)


def _validate_jsonl(material: Material, folder: Path) -> Problems:
    path = folder / "decisions.jsonl"
    n_lines = count_lines(path)
    if n_lines != len(material.records):
        yield f"{n_lines} lines, {len(material.records)} decisions on record"
        return
    for number, (line, decision) in enumerate(zip(read_lines(path), material.records, strict=True), 1):
        correction = decision.correction
        ours = get_mask(decision)
        if line["verdict"] != correction.verdict.value:
            yield f"line {number}: its verdict is {line['verdict']}, {correction.verdict.value} on record"
        if line["expression"] != correction.annotation.task.expression:
            yield f"line {number}: its expression is {line['expression']!r:.60}"
        yield from compare_masks(f"line {number}", _parse_run_length(line["mask"], f"line {number}"), ours)


def _validate_pairs(material: Material, folder: Path) -> Problems:
    path = folder / "preferences.jsonl"
    lines = zip(count(1), read_lines(path), strict=False)
    n_pairs = 0
    for sample in material.full_samples:
        pair = to_preference_pair(sample)
        if not pair["rejected"]:
            continue
        n_pairs += 1
        number, line = next(lines, (0, None))
        if line is None:
            continue
        for what in ("image", "expression", "split", "chosen", "rejected"):
            if line[what] != pair[what]:
                yield f"line {number}: its {what} differs from the record"
    if count_lines(path) != n_pairs:
        yield f"{count_lines(path)} lines, {n_pairs} samples on record have a rejected alternative"


def _validate_yolo(material: Material, folder: Path) -> Problems:
    path = folder / "expressions.json"
    n_entries = sum(1 for _ in read_items(path, "item"))
    if n_entries != material.n_sample_masks:
        yield f"{n_entries} expressions in the files, {material.n_sample_masks} on record"
        return
    repeated = _find_repeated(material)
    entries = zip(read_items(path, "item"), _read_masked(material), strict=True)
    for number, (one, sample) in enumerate(entries, 1):
        drawn = rasterise_polygons(_read_polygons(folder / one["file"], one["class"]), sample.size)
        assert sample.mask is not None
        iou = float(compute_iou_matrix([drawn], [sample.mask])[0, 0])
        key = one["image"], one["expression"]
        if key != (sample.file_name, sample.expression):
            yield f"expression {number}: {key!r:.120} is not the one on record"
        elif not repeated.has(*key) and abs(iou - one["iou_with_mask"]) > 0.01:
            yield f"expression {number}: IoU {iou:.4f} with the record, {one['iou_with_mask']} was measured"


def _find_repeated(material: Material) -> "RepeatedPairs":
    """Find the expressions that an image has several times: their polygons are of one class."""
    repeated = RepeatedPairs()
    for sample in _read_masked(material):
        repeated.add(sample.file_name, sample.expression)
    return repeated


def _read_polygons(path: Path, number: int) -> list[list[list[float]]]:
    """Read the polygons of one class, in percent."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        own, *values = line.split()
        if int(own) == number:
            points: NDArray[np.float64] = np.array(values, np.float64).reshape(-1, 2) * 100
            found.append(points.tolist())
    return found


def _validate_labelstudio(material: Material, folder: Path) -> Problems:
    answers = StoredAnswers()
    for task in read_items(folder / "labelstudio.json", "item"):
        for answer in task["annotations"]:
            answers.add(task["meta"]["project"], answer["meta"]["annotation_id"], answer["result"])
    for decision in material.records:
        annotation = decision.correction.annotation
        result = answers.take(annotation.task.project, annotation.annotation_id)
        what = f"annotation {annotation.annotation_id}"
        if result is None:
            yield f"{what} is on record and not in the file"
            continue
        controls = material.controls.get(annotation.task.project, material.default_controls)
        ours = get_mask(decision)
        try:
            mask, _ = read_mask(select_meant_regions(result, controls), ours.size if ours else None)
        except InputError as error:
            yield f"{what}: {error}"
            continue
        if controls.is_lossless:
            yield from compare_masks(what, mask, ours)
    for number in answers.read_rest():
        yield f"annotation {number} is in the file and not on record"


def _parse_run_length(segmentation: Mapping[str, Any] | None, what: str) -> RLE | None:
    if not segmentation:
        return None
    height, width = segmentation["size"]
    return decode_segmentation(segmentation, (height, width), what)


VALIDATORS: Mapping[str, Callable[[Material, Path], Problems]] = {
    "coco": lambda material, folder: validate_coco("coco.json", material, folder),
    "coco-polygons": lambda material, folder: validate_coco("coco_polygons.json", material, folder),
    "jsonl": _validate_jsonl,
    "labelstudio": _validate_labelstudio,
    "refcoco": validate_refcoco,
    "grefcoco": validate_grefcoco,
    "phrasecut": validate_phrasecut,
    "huggingface": validate_huggingface,
    "yolo": _validate_yolo,
    "pairs": _validate_pairs,
}
