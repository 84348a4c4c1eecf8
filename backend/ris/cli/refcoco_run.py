"""The run of `ris benchmark refcoco`, and its tables."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import typer
from rich.console import Console

from ris import assembly, config, planning
from ris.cli.comparison import print_split
from ris.cli.console import console, make_rate_progress
from ris.core.versions import describe_version
from ris.datasets.benchmark import Benchmark, make_count_warning, read_benchmark
from ris.errors import DatasetError, InputError
from ris.evaluation.refcoco.images import find_image_path, load_image
from ris.evaluation.refcoco.metrics import compute_split_metrics
from ris.evaluation.refcoco.outcome import BenchmarkImage, evaluate_image, group_by_image
from ris.evaluation.refcoco.published import find_published
from ris.evaluation.refcoco.results import (
    find_damaged_pieces,
    find_unfinished_images,
    read_results,
    remove_results,
    write_pieces,
)
from ris.evaluation.refcoco.shard import Shard, read_shard
from ris.referring.pipeline import Pipeline

_progress_console = Console(
    stderr=True, highlight=False, soft_wrap=True
)  # what happens; figures go to the other


def run_refcoco_benchmark(
    data: Path,
    images: Path | None,
    *,
    split_by: str | None,
    splits: Sequence[str],
    preset: str | None,
    shard: str,
    out: Path,
    resume: bool,
) -> None:
    """Run the expressions that the results lack.

    Raises:
        InputError: the shard has no images.
        DatasetError: the data or the results cannot be read, or no image is there.
    """
    settings = config.read_settings(preset=preset)
    part, benchmark = read_shard(shard), read_benchmark(data, split_by)
    mine = [
        group
        for group in group_by_image(benchmark, benchmark.choose_splits(splits))
        if part.has_image(group.image)
    ]
    folder = images or data / "images"
    _check_images(mine, folder, shard)
    if not resume:
        remove_results(out)
    plan = planning.make_plan(settings)
    todo = _find_unfinished(out, plan.version, benchmark, mine)
    if todo:
        _run_benchmark(
            assembly.load_pipeline(plan), benchmark, todo, folder, settings.max_image_pixels, out, part
        )


def _check_images(mine: Sequence[BenchmarkImage], folder: Path, shard: str) -> None:
    if not mine:
        raise InputError(f"shard {shard} has no images; take fewer shards")
    missing = [group.image for group in mine if find_image_path(folder, group.image) is None]
    if len(missing) == len(mine):
        raise DatasetError(
            f"{folder} has none of the {len(mine)} images, the first is {missing[0]!r:.120}; "
            "say with --images where they are"
        )
    if missing:
        _progress_console.print(
            f"{len(missing)} of {len(mine)} images are not in {folder}, the first is {missing[0]}: "
            "their expressions count as misses",
            markup=False,
        )


def _find_unfinished(
    out: Path, version: str, benchmark: Benchmark, mine: Sequence[BenchmarkImage]
) -> list[BenchmarkImage]:
    for path in find_damaged_pieces(out):
        path.unlink()
        _progress_console.print(
            f"{path} is damaged and was removed; its images are computed again", markup=False
        )
    todo = find_unfinished_images(out, version, benchmark, mine)
    _progress_console.print(
        f"{benchmark.name} {benchmark.split_by}: {len(mine)} images, "
        f"{len(mine) - len(todo)} of them done before, {len(todo)} to do with {version}"
    )
    return todo


def _run_benchmark(
    pipeline: Pipeline,
    benchmark: Benchmark,
    todo: Sequence[BenchmarkImage],
    folder: Path,
    max_pixels: int,
    out: Path,
    part: Shard,
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    load = partial(load_image, folder, max_pixels=max_pixels)
    by_image = (evaluate_image(benchmark, group, pipeline, load, time.perf_counter) for group in todo)
    with make_rate_progress(_progress_console) as progress:
        bar = progress.add_task("images", total=len(todo), rate="")
        for _ in write_pieces(out, part, by_image):
            progress.advance(bar)
            speed = progress.tasks[bar].speed
            progress.update(bar, rate=f"{speed:.2f} images/s" if speed else "")


def print_results(folders: Sequence[Path], *, as_json: bool) -> None:
    """Print the metrics of the results in several folders together."""
    table = read_results(folders)
    found = list(compute_split_metrics(table))
    version = table["model_version"][0].as_py()
    warnings = [make_count_warning(one.dataset, one.split_by, one.split, one.count) for one in found]
    if not as_json:
        console.print(f"{describe_version(version)}, in percent")
        for one in found:
            print_split(one, find_published(one.dataset, one.split_by, one.split))
        for warning in filter(None, warnings):
            console.print(f"warning: {warning}")
        return
    figures = [
        {
            **one.to_json_object(),
            "published": [asdict(p) for p in find_published(one.dataset, one.split_by, one.split)],
        }
        for one in found
    ]
    typer.echo(
        json.dumps(
            {"model_version": version, "warnings": [w for w in warnings if w], "splits": figures}, indent=1
        )
    )
