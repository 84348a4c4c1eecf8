"""The results of a benchmark: a folder of Parquet files, written piece by piece and read together.

A piece holds all rows of a few images. It is renamed to its final name after it is complete on disk, so a
killed run loses at most the current piece. A piece that is damaged later, for example by an interrupted copy,
is found by its checksums, and the next run processes its images again.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ris.core.versions import NO_NETWORK_PRESET
from ris.datasets.benchmark import Benchmark
from ris.errors import DatasetError
from ris.evaluation.rankings import FUSION
from ris.evaluation.refcoco.outcome import BenchmarkImage, BenchmarkOutcome
from ris.evaluation.refcoco.shard import Shard

RESULTS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("split_by", pa.string()),
        ("split", pa.string()),
        ("image", pa.string()),
        ("sample", pa.int64()),
        ("expression", pa.string()),
        ("method", pa.string()),
        ("has_referent", pa.bool_()),
        ("intersection_px", pa.int64()),
        ("union_px", pa.int64()),
        ("iou", pa.float64()),
        ("mask", pa.string()),
        ("height", pa.int64()),
        ("width", pa.int64()),
        ("reason", pa.string()),
        ("model_version", pa.string()),
        ("seconds", pa.float64()),
    ]
)
IMAGES_PER_PIECE = 16
FLOOR = "no network"  # the ranking of the preset without a network, beside those with networks
PIECE_PATTERN = "piece-*.parquet"
EXPRESSION_KEY = ["dataset", "split_by", "sample", "expression"]


def to_table(outcomes: Sequence[BenchmarkOutcome]) -> pa.Table:
    """Convert outcomes to a table of `RESULTS_SCHEMA`."""
    return pa.Table.from_pylist([asdict(outcome) for outcome in outcomes], RESULTS_SCHEMA)


def write_piece(folder: Path, shard: Shard, outcomes: Sequence[BenchmarkOutcome]) -> Path:
    """Write rows as the next piece of a shard, atomically.

    Returns:
        The path of the piece.

    Raises:
        DatasetError: the folder cannot be written, for example because the disk is full.
    """
    prefix = f"piece-{shard.number}of{shard.count}-"
    numbers = [int(path.stem.removeprefix(prefix)) for path in folder.glob(f"{prefix}*.parquet")]
    path = folder / f"{prefix}{max(numbers, default=-1) + 1:06d}.parquet"
    unfinished = path.with_suffix(".part")
    try:
        with unfinished.open("wb") as file:
            pq.write_table(to_table(outcomes), file, write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def write_pieces(
    folder: Path, shard: Shard, by_image: Iterable[Sequence[BenchmarkOutcome]]
) -> Iterator[Sequence[BenchmarkOutcome]]:
    """Write rows in pieces of `IMAGES_PER_PIECE` images, and yield the rows of each image.

    If the caller stops early or is interrupted, all rows that were yielded are written.

    Args:
        folder: folder of the results.
        shard: the shard that is processed.
        by_image: the rows of one image after the other.
    """
    rows: list[BenchmarkOutcome] = []
    try:
        for number, outcomes in enumerate(by_image, 1):
            rows += outcomes
            if number % IMAGES_PER_PIECE == 0:
                write_piece(folder, shard, rows)
                rows = []
            yield outcomes
    finally:
        if rows:
            write_piece(folder, shard, rows)


def find_damaged_pieces(folder: Path) -> list[Path]:
    """Return the damaged pieces of a folder."""
    return [path for path in sorted(folder.glob(PIECE_PATTERN)) if _read_piece(path) is None]


def remove_results(folder: Path) -> None:
    """Remove all results from a folder; other files stay."""
    for path in [*folder.glob(PIECE_PATTERN), *folder.glob("piece-*.part")]:
        path.unlink()


def find_unfinished_images(
    folder: Path, version: str, benchmark: Benchmark, groups: Sequence[BenchmarkImage]
) -> list[BenchmarkImage]:
    """Return the images for which a folder has no rows.

    Args:
        folder: folder of the results.
        version: model version of the pipeline.
        benchmark: the dataset.
        groups: the images to process.

    Raises:
        DatasetError: the folder has results of another model version, or of other expressions of an image.
    """
    pieces = [
        piece for path in sorted(folder.glob(PIECE_PATTERN)) if (piece := _read_piece(path)) is not None
    ]
    table = pa.concat_tables([RESULTS_SCHEMA.empty_table(), *pieces])
    others = sorted(set(table["model_version"].unique().to_pylist()) - {version})
    if others:
        raise DatasetError(
            f"{folder} holds results of {', '.join(others)}, and this is {version}; "
            "give another folder with --out, or start over with --fresh"
        )
    done = {tuple(row.values()) for row in table.group_by(EXPRESSION_KEY).aggregate([]).to_pylist()}
    unfinished = []
    for group in groups:
        keys = {(benchmark.name, benchmark.split_by, n, entry.expression) for n, entry in group.samples}
        if not keys & done:
            unfinished.append(group)
        elif not keys <= done:
            raise DatasetError(
                f"{folder} holds results of {group.image} with other expressions: the dataset has changed; "
                "give another folder with --out, or start over with --fresh"
            )
    return unfinished


def read_results(folders: Iterable[Path]) -> pa.Table:
    """Read all rows of some folders as one table of `RESULTS_SCHEMA`.

    The results of the preset without a network are allowed beside those of another version: as one ranking
    more, `FLOOR`, which shows what the networks are worth.

    Args:
        folders: results of the shards of one benchmark, or of several benchmarks.

    Raises:
        DatasetError: a folder has no results or a damaged piece, the model versions differ, or a result is
            there twice.
    """
    found = []
    for folder in folders:
        paths = sorted(folder.glob(PIECE_PATTERN))
        if not paths:
            raise DatasetError(f"{folder} has no results of ris benchmark refcoco")
        for path in paths:
            piece = _read_piece(path)
            if piece is None:
                raise DatasetError(f"{path} is damaged; run ris benchmark refcoco with --out {folder} again")
            found.append(piece)
    table, floor = _take_floor(pa.concat_tables(found))
    versions = sorted(table["model_version"].unique().to_pylist())
    if len(versions) > 1:
        raise DatasetError(f"these are results of {', '.join(versions)}; give folders of one model version")
    table = pa.concat_tables([table, floor])
    counts = table.group_by([*EXPRESSION_KEY, "method"]).aggregate([("iou", "count")])
    twice = [row for row in counts.to_pylist() if row["iou_count"] > 1]
    if twice:
        raise DatasetError(
            f"{len(twice)} results are there twice, first that for {twice[0]['expression']!r:.60} of "
            f"{twice[0]['dataset']}; give folders that have no image in common"
        )
    return table


def _take_floor(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Divide rows into those with networks, and the fusion of the preset without one, named `FLOOR`.

    The second is empty if all rows are of one preset.
    """
    is_floor = pc.starts_with(table["model_version"], f"{NO_NETWORK_PRESET}-")
    others, floor = table.filter(pc.invert(is_floor)), table.filter(is_floor)
    if not others.num_rows or not floor.num_rows:
        return table, table.slice(0, 0)
    floor = floor.filter(pc.equal(floor["method"], FUSION))
    place = floor.schema.get_field_index("method")
    names = pa.array([FLOOR] * floor.num_rows, floor.schema.field("method").type)
    return others, floor.set_column(place, floor.schema.field("method"), names)


def _read_piece(path: Path) -> pa.Table | None:
    """Read the rows of a piece; None if it is damaged."""
    data = path.read_bytes()
    try:
        table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
        table.validate(full=True)
    except (OSError, ValueError, pa.ArrowException):
        return None
    if not table.schema.equals(RESULTS_SCHEMA):
        raise DatasetError(
            f"{path} was written by another version of ris benchmark refcoco; give another folder"
        )
    return table
