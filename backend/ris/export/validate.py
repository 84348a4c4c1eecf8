"""Read an export back, with the readers of each format where they exist, and compare it with the record."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.datasets.entry import Entry, read_json
from ris.datasets.phrasecut import read_phrasecut
from ris.datasets.refcoco import read_refs
from ris.datasets.segmentation import decode_segmentation
from ris.errors import BackendError, DatasetError, InputError
from ris.export.dataset import DatasetSample, get_mask
from ris.export.differences import Problems, compare_masks
from ris.export.formats import EXPORT_FORMATS
from ris.export.material import Material
from ris.export.pairs import to_preference_pair
from ris.export.phrasecut import IMAGE_LISTS, PHRASE_COUNTS_FILE, PhraseCounts
from ris.export.phrases import Phrase
from ris.export.run import REPORT_FILE
from ris.export.selection import ExportOptions
from ris.export.validate_coco import validate_coco
from ris.export.validate_huggingface import validate_huggingface
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.masks.polygon import rasterise_polygons
from ris.labelstudio.result import read_mask


def read_export_options(out: Path) -> tuple[ExportOptions, int]:
    """Read the options of an export, and its number of decisions, from its report.

    Raises:
        DatasetError: the folder has no valid report.
    """
    report = read_json(out / REPORT_FILE)
    try:
        return ExportOptions(**report["choice"]), int(report["decisions"])
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{out / REPORT_FILE} is not the report of an export: {error}") from error


def validate_export(out: Path, options: ExportOptions, material: Material) -> dict[str, list[str]]:
    """Compare all formats of an export with the record.

    Args:
        out: the folder of the export.
        options: the options of the export.
        material: the input of the export, from the record.

    Returns:
        By format, one sentence for each difference.
    """
    problems: dict[str, list[str]] = {}
    for name in options.formats:
        try:
            problems[name] = list(VALIDATORS[name](material, out / EXPORT_FORMATS[name].folder))
        except BackendError as error:
            problems[name] = [str(error)]
    return problems


def _compare_entries(entries: Sequence[Entry], samples: Sequence[DatasetSample]) -> Problems:
    if len(entries) != len(samples):
        yield f"{len(entries)} expressions in the files, {len(samples)} on record"
        return
    for number, (entry, sample) in enumerate(zip(entries, samples, strict=True), 1):
        pairs = (
            ("expression", entry.expression, sample.expression),
            ("image", entry.image, sample.file_name),
            ("size", entry.size, sample.size),
            ("split", entry.split, sample.split),
            ("referent", entry.has_referent, sample.mask is not None),
        )
        for what, theirs, ours in pairs:
            if theirs != ours:
                yield f"expression {number}: its {what} is {theirs!r:.60}, on record it is {ours!r:.60}"
        yield from compare_masks(f"expression {number}", entry.mask, sample.mask)


def _validate_refcoco(material: Material, folder: Path) -> Problems:
    yield from _compare_entries(list(read_refs(folder)), [s for s in material.samples if s.mask is not None])


def _validate_grefcoco(material: Material, folder: Path) -> Problems:
    yield from _compare_entries(list(read_refs(folder)), material.samples)


def _validate_phrasecut(material: Material, folder: Path) -> Problems:
    samples = [s for s in material.samples if s.mask is not None]
    yield from _compare_entries(list(read_phrasecut(folder)), sorted(samples, key=lambda s: s.split))
    lists = [read_json(folder / name) for name in IMAGE_LISTS]
    if any(one != lists[0] for one in lists):
        yield f"{' and '.join(IMAGE_LISTS)} differ"
    tasks = [task for path in sorted(folder.glob("refer_*.json")) for task in read_json(path)]
    structures = [task["phrase_structure"] for task in tasks]
    phrases = (
        Phrase(one["name"], tuple(one["attributes"]), tuple(tuple(r) for r in one["relation_descriptions"]))
        for one in structures
    )
    if read_json(folder / PHRASE_COUNTS_FILE) != count_phrases(phrases):
        yield f"the counts in {PHRASE_COUNTS_FILE} are not those of the phrases in the files"


def _validate_jsonl(material: Material, folder: Path) -> Problems:
    lines = _read_lines(folder / "decisions.jsonl")
    if len(lines) != len(material.records):
        yield f"{len(lines)} lines, {len(material.records)} decisions on record"
        return
    for number, (line, decision) in enumerate(zip(lines, material.records, strict=True), 1):
        correction = decision.correction
        ours = get_mask(decision)
        if line["verdict"] != correction.verdict.value:
            yield f"line {number}: its verdict is {line['verdict']}, {correction.verdict.value} on record"
        if line["expression"] != correction.annotation.task.expression:
            yield f"line {number}: its expression is {line['expression']!r:.60}"
        yield from compare_masks(f"line {number}", _parse_run_length(line["mask"], f"line {number}"), ours)


def _validate_pairs(material: Material, folder: Path) -> Problems:
    lines = _read_lines(folder / "preferences.jsonl")
    pairs = [pair for sample in material.samples if (pair := to_preference_pair(sample))["rejected"]]
    if len(lines) != len(pairs):
        yield f"{len(lines)} lines, {len(pairs)} samples on record have a rejected alternative"
        return
    for number, (line, pair) in enumerate(zip(lines, pairs, strict=True), 1):
        for what in ("image", "expression", "split", "chosen", "rejected"):
            if line[what] != pair[what]:
                yield f"line {number}: its {what} differs from the record"


def _validate_yolo(material: Material, folder: Path) -> Problems:
    entries = read_json(folder / "expressions.json")
    samples = [s for s in material.samples if s.mask is not None]
    if len(entries) != len(samples):
        yield f"{len(entries)} expressions in the files, {len(samples)} on record"
        return
    counts = Counter((s.file_name, s.expression) for s in samples)
    for number, (one, sample) in enumerate(zip(entries, samples, strict=True), 1):
        drawn = rasterise_polygons(_read_polygons(folder / one["file"], one["class"]), sample.size)
        assert sample.mask is not None
        iou = float(compute_iou_matrix([drawn], [sample.mask])[0, 0])
        key = one["image"], one["expression"]
        if key != (sample.file_name, sample.expression):
            yield f"expression {number}: {key!r:.120} is not the one on record"
        elif counts[key] == 1 and abs(iou - one["iou_with_mask"]) > 0.01:
            yield f"expression {number}: IoU {iou:.4f} with the record, {one['iou_with_mask']} was measured"


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
    tasks = read_json(folder / "labelstudio.json")
    answers = {
        (task["meta"]["project"], answer["meta"]["annotation_id"]): answer
        for task in tasks for answer in task["annotations"]
    }  # fmt: skip
    for decision in material.records:
        annotation = decision.correction.annotation
        answer = answers.pop((annotation.task.project, annotation.annotation_id), None)
        what = f"annotation {annotation.annotation_id}"
        if answer is None:
            yield f"{what} is on record and not in the file"
            continue
        controls = material.controls.get(annotation.task.project, material.default_controls)
        ours = get_mask(decision)
        try:
            mask, _ = read_mask(select_meant_regions(answer["result"], controls), ours.size if ours else None)
        except InputError as error:
            yield f"{what}: {error}"
            continue
        if controls.is_lossless:
            yield from compare_masks(what, mask, ours)
    for _, number in answers:
        yield f"annotation {number} is in the file and not on record"


def _read_lines(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


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
    "refcoco": _validate_refcoco,
    "grefcoco": _validate_grefcoco,
    "phrasecut": _validate_phrasecut,
    "huggingface": validate_huggingface,
    "yolo": _validate_yolo,
    "pairs": _validate_pairs,
}
