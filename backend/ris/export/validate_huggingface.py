"""Read Hugging Face's Parquet files back with pyarrow and `datasets`, and compare them with the record."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from ris.core import rle
from ris.core.extras import is_installed, require_extra
from ris.core.rle import RLE
from ris.core.scratch import open_scratch
from ris.export.differences import Problems, compare_masks
from ris.export.material import Material
from ris.export.pictures import MAX_EXPORTED_PIXELS
from ris.export.reading import read_items
from ris.export.run import REPORT_FILE
from ris.export.selection import SampleView
from ris.labelstudio.images.decoding import open_image, read_displayed_size

_ROWS_PER_BATCH = 64


def validate_huggingface(material: Material, folder: Path) -> Problems:
    """Yield a sentence for each difference between the Parquet files and the record.

    Args:
        material: the input of the export, from the record.
        folder: folder of the format.
    """
    require_extra("parquet", "pyarrow", "the format huggingface")
    import pyarrow.parquet as pq

    report = folder.parent / REPORT_FILE
    rows, n_rows = SampleRows(material.samples), 0
    for path in sorted((folder / "data").glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(_ROWS_PER_BATCH):
            n_rows += batch.num_rows
            yield from _compare_rows(batch.to_pylist(), rows, path)
    for one in read_items(report, "formats.huggingface.left_out.item") if report.is_file() else ():
        rows.find(one["project"], one["annotation_id"])
    n_missing, first = rows.find_rest()
    if n_missing:
        yield (
            f"{n_missing} of {len(material.samples)} samples on record are in no row, and {REPORT_FILE} "
            f"does not list them as left out; the first is annotation {first}"
        )
    yield from _validate_with_datasets(folder, n_rows)


def _compare_rows(batch: Sequence[dict[str, Any]], rows: "SampleRows", path: Path) -> Problems:
    ordinals = [rows.find(row["project"], row["annotation_id"]) for row in batch]
    known = iter(rows.samples.pick([ordinal for ordinal in ordinals if ordinal is not None]))
    split = path.name.split("-0")[0]
    for row, ordinal in zip(batch, ordinals, strict=True):
        what = f"task {row['task_id']} of {path.name}"
        if ordinal is None:
            yield f"{what}: no sample on record has annotation {row['annotation_id']}"
            continue
        sample = next(known)
        if (row["expression"], split) != (sample.expression, sample.split):
            yield f"{what}: {row['expression']!r:.60} in {split}, {sample.expression!r:.60} on record"
        mask = _decode_png(row["mask"]["bytes"]) if row["mask"] else None
        yield from compare_masks(what, mask, sample.mask)
        if mask is not None and _read_size(row["image"]["bytes"]) != mask.size:
            yield f"{what}: its image is {_read_size(row['image']['bytes'])}, its mask {mask.size}"


class SampleRows:
    """Finds samples by annotation, and remembers which were found: on disk, so that memory does not grow.

    Args:
        samples: the samples on record.
    """

    def __init__(self, samples: SampleView) -> None:
        self.samples = samples
        self._scratch = open_scratch(
            "CREATE TABLE sample (ordinal INTEGER PRIMARY KEY, project TEXT, annotation INTEGER,"
            " is_found INTEGER DEFAULT 0, UNIQUE (project, annotation));"
        )
        for ordinal, sample in enumerate(samples):
            annotation = sample.decision.correction.annotation
            row = ordinal, annotation.task.project, annotation.annotation_id
            self._scratch.execute("INSERT INTO sample (ordinal, project, annotation) VALUES (?, ?, ?)", row)

    def find(self, project: str, annotation_id: int) -> int | None:
        """Return the position of a sample; None if there is none."""
        query = "UPDATE sample SET is_found = 1 WHERE project = ? AND annotation = ? RETURNING ordinal"
        row = self._scratch.execute(query, (project, annotation_id)).fetchone()
        return None if row is None else int(row[0])

    def find_rest(self) -> tuple[int, int | None]:
        """Return the number of samples that were not found, and the annotation of the first."""
        row = self._scratch.execute("SELECT count(*) FROM sample WHERE is_found = 0").fetchone()
        first = "SELECT annotation FROM sample WHERE is_found = 0 ORDER BY project, annotation LIMIT 1"
        return int(row[0]), next((number for (number,) in self._scratch.execute(first)), None)


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


def _decode_png(data: bytes) -> RLE:
    picture, _ = open_image(data, max_pixels=MAX_EXPORTED_PIXELS)
    with picture:
        return rle.encode_rle(np.asarray(picture) > 127)


def _read_size(data: bytes) -> tuple[int, int]:
    return read_displayed_size(data, max_pixels=MAX_EXPORTED_PIXELS)
