"""An export read back, by the field's own readers where there are some, and compared with SQL in pixels."""

import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core import rle
from ris.core.extras import is_installed, require_extra
from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.datasets.entry import Entry, read_json
from ris.datasets.phrasecut import read_phrasecut
from ris.datasets.refcoco import read_refs
from ris.datasets.segmentation import decode_segmentation
from ris.errors import BackendError, DatasetError, InputError
from ris.export.dataset import DatasetSample, get_mask
from ris.export.differences import Problems, compare_masks
from ris.export.formats import EXPORT_FORMATS, Material
from ris.export.pairs import to_preference_pair
from ris.export.phrasecut import IMAGE_LISTS, PHRASE_COUNTS_FILE, count_phrases
from ris.export.phrases import Phrase
from ris.export.run import REPORT_FILE, ExportOptions
from ris.export.validate_coco import validate_coco
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.masks.polygon import rasterise_polygons
from ris.labelstudio.result import read_mask


def read_export_options(out: Path) -> tuple[ExportOptions, int]:
    """What an export was asked for, and how many decisions there were.

    Raises:
        DatasetError: the folder holds no export.
    """
    report = read_json(out / REPORT_FILE)
    try:
        return ExportOptions(**report["choice"]), int(report["decisions"])
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{out / REPORT_FILE} is no report of an export: {error}") from error


def validate_export(out: Path, choice: ExportOptions, material: Material) -> dict[str, list[str]]:
    """By format, a sentence for all in which the files differ from the record; empty when they agree."""
    found: dict[str, list[str]] = {}
    for name in choice.formats:
        try:
            found[name] = list(VALIDATORS[name](material, out / EXPORT_FORMATS[name].folder))
        except BackendError as error:
            found[name] = [str(error)]
    return found


def _compare_entries(entries: Sequence[Entry], wanted: Sequence[DatasetSample]) -> Problems:
    if len(entries) != len(wanted):
        yield f"{len(entries)} expressions in the files, {len(wanted)} on record"
        return
    for number, (entry, sample) in enumerate(zip(entries, wanted, strict=True), 1):
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
    wanted = [s for s in material.samples if s.mask is not None]
    yield from _compare_entries(list(read_phrasecut(folder)), sorted(wanted, key=lambda s: s.split))
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
        yield f"{PHRASE_COUNTS_FILE} does not count the phrases of the files"


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
    wanted = [pair for sample in material.samples if (pair := to_preference_pair(sample))["rejected"]]
    if len(lines) != len(wanted):
        yield f"{len(lines)} lines, {len(wanted)} samples on record have a rejected alternative"
        return
    for number, (line, pair) in enumerate(zip(lines, wanted, strict=True), 1):
        for what in ("image", "expression", "split", "chosen", "rejected"):
            if line[what] != pair[what]:
                yield f"line {number}: its {what} is not what is on record"


def _validate_huggingface(material: Material, folder: Path) -> Problems:
    require_extra("parquet", "pyarrow", "the format huggingface")
    import pyarrow.parquet as pq

    files = sorted((folder / "data").glob("*.parquet"))
    by_key = {_get_key(s): s for s in material.samples}
    seen = 0
    for path in files:
        for row in pq.read_table(path).to_pylist():
            seen += 1
            what = f"task {row['task_id']} of {path.name}"
            sample = by_key.get((row["project"], row["annotation_id"]))
            if sample is None:
                yield f"{what}: no sample on record is of annotation {row['annotation_id']}"
                continue
            split = path.name.split("-0")[0]
            if (row["expression"], split) != (sample.expression, sample.split):
                yield f"{what}: {row['expression']!r:.60} in {split}, {sample.expression!r:.60} on record"
            mask = _decode_png(row["mask"]["bytes"]) if row["mask"] else None
            yield from compare_masks(what, mask, sample.mask)
            if mask is not None and _read_size(row["image"]["bytes"]) != mask.size:
                yield f"{what}: its image is {_read_size(row['image']['bytes'])}, its mask {mask.size}"
    unreachable = len(material.samples) - seen
    if unreachable:
        yield f"{seen} rows, {len(material.samples)} samples on record; {REPORT_FILE} says which are left out"
    yield from _validate_with_datasets(folder, seen)


def _validate_with_datasets(folder: Path, count: int) -> Problems:
    """What Hugging Face's own library says, where it is installed."""
    if not count or not is_installed("datasets"):
        return
    import datasets

    datasets.disable_progress_bars()
    files: dict[str, str] = {
        p.name.split("-0")[0]: str(p) for p in sorted((folder / "data").glob("*.parquet"))
    }
    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=cache)
        total = sum(part.num_rows for part in loaded.values())
        first = next(iter(loaded.values()))[0]
    if total != count or not isinstance(first["image"], Pillow.Image):
        kind = type(first["image"]).__name__
        yield f"`datasets` reads {total} rows with {kind} for images, {count} were written"


def _get_key(sample: DatasetSample) -> tuple[str, int]:
    annotation = sample.decision.correction.annotation
    return annotation.task.project, annotation.annotation_id


def _decode_png(data: bytes) -> RLE:
    with Pillow.open(io.BytesIO(data)) as picture:
        return rle.encode_rle(np.asarray(picture) > 127)


def _read_size(data: bytes) -> tuple[int, int]:
    with Pillow.open(io.BytesIO(data)) as picture:
        return picture.size[1], picture.size[0]


def _validate_yolo(material: Material, folder: Path) -> Problems:
    listed = read_json(folder / "expressions.json")
    wanted = [s for s in material.samples if s.mask is not None]
    if len(listed) != len(wanted):
        yield f"{len(listed)} expressions in the files, {len(wanted)} on record"
        return
    alike = Counter((s.file_name, s.expression) for s in wanted)
    for number, (one, sample) in enumerate(zip(listed, wanted, strict=True), 1):
        drawn = rasterise_polygons(_read_polygons(folder / one["file"], one["class"]), sample.size)
        assert sample.mask is not None
        iou = float(compute_iou_matrix([drawn], [sample.mask])[0, 0])
        said = one["image"], one["expression"]
        if said != (sample.file_name, sample.expression):
            yield f"expression {number}: it is {said!r:.120}, not that on record"
        elif alike[said] == 1 and abs(iou - one["iou_with_mask"]) > 0.01:
            yield f"expression {number}: IoU {iou:.4f} with the record, {one['iou_with_mask']} was measured"


def _read_polygons(path: Path, number: int) -> list[list[list[float]]]:
    """The polygons of one class, in percent."""
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


def _parse_run_length(given: Mapping[str, Any] | None, what: str) -> RLE | None:
    return decode_segmentation(given, (given["size"][0], given["size"][1]), what) if given else None


VALIDATORS: Mapping[str, Callable[[Material, Path], Problems]] = {
    "coco": lambda material, folder: validate_coco("coco.json", material, folder),
    "coco-polygons": lambda material, folder: validate_coco("coco_polygons.json", material, folder),
    "jsonl": _validate_jsonl,
    "labelstudio": _validate_labelstudio,
    "refcoco": _validate_refcoco,
    "grefcoco": _validate_grefcoco,
    "phrasecut": _validate_phrasecut,
    "huggingface": _validate_huggingface,
    "yolo": _validate_yolo,
    "pairs": _validate_pairs,
}
