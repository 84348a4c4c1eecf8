"""Read Hugging Face's Parquet files back with pyarrow and `datasets`, and compare them with the record."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from ris.core import rle
from ris.core.extras import is_installed, require_extra
from ris.core.rle import RLE
from ris.datasets.entry import read_json
from ris.export.dataset import DatasetSample
from ris.export.differences import Problems, compare_masks
from ris.export.material import Material
from ris.export.pictures import MAX_EXPORTED_PIXELS
from ris.export.run import REPORT_FILE
from ris.labelstudio.images.decoding import open_image, read_displayed_size


def validate_huggingface(material: Material, folder: Path) -> Problems:
    """Yield a sentence for each difference between the Parquet files and the record.

    Args:
        material: the input of the export, from the record.
        folder: folder of the format.
    """
    require_extra("parquet", "pyarrow", "the format huggingface")
    import pyarrow.parquet as pq

    files = sorted((folder / "data").glob("*.parquet"))
    by_key = {_get_key(s): s for s in material.samples}
    count = 0
    missing = set(by_key) - _read_omissions(folder.parent / REPORT_FILE)
    for path in files:
        for row in pq.read_table(path).to_pylist():
            count += 1
            missing.discard((row["project"], row["annotation_id"]))
            what = f"task {row['task_id']} of {path.name}"
            sample = by_key.get((row["project"], row["annotation_id"]))
            if sample is None:
                yield f"{what}: no sample on record has annotation {row['annotation_id']}"
                continue
            split = path.name.split("-0")[0]
            if (row["expression"], split) != (sample.expression, sample.split):
                yield f"{what}: {row['expression']!r:.60} in {split}, {sample.expression!r:.60} on record"
            mask = _decode_png(row["mask"]["bytes"]) if row["mask"] else None
            yield from compare_masks(what, mask, sample.mask)
            if mask is not None and _read_size(row["image"]["bytes"]) != mask.size:
                yield f"{what}: its image is {_read_size(row['image']['bytes'])}, its mask {mask.size}"
    if missing:
        yield (
            f"{len(missing)} of {len(material.samples)} samples on record are in no row, and {REPORT_FILE} "
            f"does not list them as left out; the first is annotation {min(missing)[1]}"
        )
    yield from _validate_with_datasets(folder, count)


def _read_omissions(report: Path) -> set[tuple[str, int]]:
    """Read which samples were left out: (project, annotation id), as `_get_key` returns them."""
    if not report.is_file():
        return set()
    left_out = read_json(report)["formats"]["huggingface"]["left_out"]
    return {(one["project"], one["annotation_id"]) for one in left_out}


def _validate_with_datasets(folder: Path, count: int) -> Problems:
    """Check that `datasets` reads the files, if it is installed."""
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
        yield f"`datasets` reads {total} rows with images of type {kind}, but {count} rows were written"


def _get_key(sample: DatasetSample) -> tuple[str, int]:
    annotation = sample.decision.correction.annotation
    return annotation.task.project, annotation.annotation_id


def _decode_png(data: bytes) -> RLE:
    picture, _ = open_image(data, max_pixels=MAX_EXPORTED_PIXELS)
    with picture:
        return rle.encode_rle(np.asarray(picture) > 127)


def _read_size(data: bytes) -> tuple[int, int]:
    return read_displayed_size(data, max_pixels=MAX_EXPORTED_PIXELS)
