"""`ris benchmark refcoco`: the methods on the field's datasets, beside the figures of the papers."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ris import assembly, config
from ris.cli.comparison import print_split
from ris.cli.console import console
from ris.datasets.benchmark import Benchmark, count_warning, read_benchmark
from ris.errors import DatasetError, InputError
from ris.evaluation.refcoco.images import image_in, path_in
from ris.evaluation.refcoco.metrics import splits
from ris.evaluation.refcoco.outcome import Group, groups, outcomes
from ris.evaluation.refcoco.published import published
from ris.evaluation.refcoco.results import clear, kept, left, read_pieces, torn_pieces
from ris.evaluation.refcoco.shard import Shard, read_shard
from ris.referring.pipeline import Pipeline

AsJson = Annotated[bool, typer.Option("--json", help="figures for machines instead of tables")]
told = Console(stderr=True, highlight=False, soft_wrap=True)  # what happens; figures go to the other


def refcoco(
    data: Annotated[
        Path, typer.Argument(help="folder of one dataset: refcoco, refcoco+, refcocog, grefcoco, PhraseCut")
    ],
    images: Annotated[
        Path | None, typer.Option(help="folder of its images, e.g. train2014; DATA/images if not given")
    ] = None,
    split_by: Annotated[str | None, typer.Option(help="unc, umd or google, where there are several")] = None,
    split: Annotated[list[str] | None, typer.Option(help="give it for each; all but train if none")] = None,
    preset: Annotated[str | None, typer.Option(help="RIS_PRESET")] = None,
    shard: Annotated[str, typer.Option(help="a part of the images: 3/8 on the third of 8 machines")] = "1/1",
    out: Annotated[Path, typer.Option(help="folder of the results, in Parquet")] = Path("refcoco-results"),
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="go on where a run was stopped, or remove what it left")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Measure every method and their fusion as the papers do, beside their figures; stop and go on at will.

    Example: `ris benchmark refcoco refcoco --images train2014 --split val --preset base --out results`
    """
    settings = config.from_env(preset=preset)
    part, benchmark = read_shard(shard), read_benchmark(data, split_by)
    mine = [group for group in groups(benchmark, benchmark.chosen(split or [])) if part.holds(group.image)]
    folder = images or data / "images"
    _check_images(mine, folder, shard)
    if not resume:
        clear(out)
    plan = assembly.planned(settings)
    todo = _todo(out, plan.version, benchmark, mine)
    if todo:
        _run(assembly.load_pipeline(plan), benchmark, todo, folder, settings.max_image_pixels, out, part)
    refcoco_table([out], as_json=as_json)


def _check_images(mine: Sequence[Group], folder: Path, shard: str) -> None:
    if not mine:
        raise InputError(f"shard {shard} has no images; take fewer shards")
    missing = [group.image for group in mine if path_in(folder, group.image) is None]
    if len(missing) == len(mine):
        raise DatasetError(
            f"{folder} has none of the {len(mine)} images, the first is {missing[0]!r:.120}; "
            "say with --images where they are"
        )
    if missing:
        told.print(
            f"{len(missing)} of {len(mine)} images are not in {folder}, the first is {missing[0]}: "
            "their expressions count as misses",
            markup=False,
        )


def _todo(out: Path, version: str, benchmark: Benchmark, mine: Sequence[Group]) -> list[Group]:
    for path in torn_pieces(out):
        path.unlink()
        told.print(f"{path} was torn and is removed; its images are done again", markup=False)
    todo = left(out, version, benchmark, mine)
    told.print(
        f"{benchmark.name} {benchmark.split_by}: {len(mine)} images, "
        f"{len(mine) - len(todo)} of them done before, {len(todo)} to do with {version}"
    )
    return todo


def _run(
    pipeline: Pipeline,
    benchmark: Benchmark,
    todo: Sequence[Group],
    folder: Path,
    max_pixels: int,
    out: Path,
    part: Shard,
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    load = partial(image_in, folder, max_pixels=max_pixels)
    by_image = (outcomes(benchmark, group, pipeline, load, time.perf_counter) for group in todo)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=told,
    ) as progress:  # fmt: skip
        bar = progress.add_task("images", total=len(todo), rate="")
        for _ in kept(out, part, by_image):
            progress.advance(bar)
            speed = progress.tasks[bar].speed
            progress.update(bar, rate=f"{speed:.2f} images/s" if speed else "")


def refcoco_table(
    folders: Annotated[list[Path], typer.Argument(help="results of `ris benchmark refcoco`: all shards")],
    as_json: AsJson = False,
) -> None:
    """The figures of several shards' results together, without running anything.

    Example: `ris benchmark refcoco-table results-1 results-2`
    """
    table = read_pieces(folders)
    found = list(splits(table))
    version = table["model_version"][0].as_py()
    warnings = [count_warning(one.dataset, one.split_by, one.split, one.count) for one in found]
    if not as_json:
        console.print(f"{version}, in percent")
        for one in found:
            print_split(one, published(one.dataset, one.split_by, one.split))
        for warning in filter(None, warnings):
            console.print(f"warning: {warning}")
        return
    figures = [
        {**one.as_json(), "published": [asdict(p) for p in published(one.dataset, one.split_by, one.split)]}
        for one in found
    ]
    typer.echo(
        json.dumps(
            {"model_version": version, "warnings": [w for w in warnings if w], "splits": figures}, indent=1
        )
    )
