"""`ris benchmark refcoco` and `refcoco-table`: the options; `refcoco_run` does the work."""

from pathlib import Path
from typing import Annotated

import typer

from ris.cli.options import JsonOption, PresetOption
from ris.core.extras import require_extra


def run_refcoco(
    data: Annotated[
        Path, typer.Argument(help="folder of one dataset: refcoco, refcoco+, refcocog, grefcoco, PhraseCut")
    ],
    images: Annotated[
        Path | None, typer.Option(help="folder of its images, e.g. train2014; default: DATA/images")
    ] = None,
    split_by: Annotated[
        str | None, typer.Option(help="unc, umd or google, if the dataset has several")
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="repeat for several; default: all but train")
    ] = None,
    preset: PresetOption = None,
    shard: Annotated[
        str, typer.Option(help="part of the images, e.g. 3/8 on the third of 8 machines")
    ] = "1/1",
    out: Annotated[Path, typer.Option(help="folder for the results, as Parquet files")] = Path(
        "refcoco-results"
    ),
    resume: Annotated[
        bool,
        typer.Option("--resume/--fresh", help="continue an interrupted run, or remove its results first"),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Measure every method and their fusion on RefCOCO and its relatives, beside published figures.

    An interrupted run continues where it stopped.

    Example: `ris benchmark refcoco refcoco --images train2014 --split val --preset base --out results`
    """
    require_extra("parquet", "pyarrow", "ris benchmark refcoco")
    from ris.cli.refcoco_run import print_results, run_refcoco_benchmark  # here: pyarrow is an extra

    run_refcoco_benchmark(
        data,
        images,
        split_by=split_by,
        splits=split or [],
        preset=preset,
        shard=shard,
        out=out,
        resume=resume,
    )
    print_results([out], as_json=as_json)


def print_refcoco_table(
    folders: Annotated[
        list[Path], typer.Argument(help="result folders of `ris benchmark refcoco`, of all shards")
    ],
    as_json: JsonOption = False,
) -> None:
    """Print the metrics of the results of several shards together, without running anything.

    Results of the preset `classical` may be among them: they become one row, "no network".

    Example: `ris benchmark refcoco-table results-1 results-2`
    """
    require_extra("parquet", "pyarrow", "ris benchmark refcoco")
    from ris.cli.refcoco_run import print_results  # here: pyarrow is an extra

    print_results(folders, as_json=as_json)
