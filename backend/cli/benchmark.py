"""`ris benchmark`: what the methods get right, with intervals."""

import json
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from backend import assembly, config
from backend.cli.console import console
from backend.evaluation import report, tinyworld
from backend.evaluation.metrics import Share
from backend.evaluation.report import Figures
from backend.evaluation.tinyworld import Proposed, Sample
from backend.referring.pipeline import Pipeline

app = typer.Typer(help="How good the methods are, on what.", no_args_is_help=True)


@app.callback()
def callback() -> None:
    """Keep `tinyworld` a command of its own, for those that will come beside it."""


@app.command("tinyworld")
def run_tinyworld(
    scenes: Annotated[int, typer.Option(help="unseen scenes, and as many with held-out pairs", min=1)] = 500,
    seed: Annotated[int, typer.Option(help="of the scenes; trainings use seeds below 1000", min=1000)] = (
        tinyworld.TEST_SEED
    ),
    preset: Annotated[str | None, typer.Option(help="RIS_PRESET")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="figures for machines instead of tables")] = False,
    proposals: Annotated[bool, typer.Option(help="also end to end, with the proposer's masks")] = True,
) -> None:
    """Rank drawn scenes that no training saw: with the true masks, with held-out pairs, end to end.

    Example: `ris benchmark tinyworld --scenes 500 --json`
    """
    pipeline = assembly.pipeline_of(config.from_env(preset=preset).preset)()
    samples, proposed = _run(pipeline, scenes, split="train", seed=seed, propose=proposals)
    novel, _ = _run(pipeline, scenes, split="novel", seed=seed + 1, propose=False)
    figures = report.by_kind(samples)
    held_out = report.by_kind([sample for sample in novel if sample.is_held_out])
    found = report.of_proposals(proposed) if proposals else {}
    mean = report.end_to_end_mean(figures) if proposals else None
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "model_version": pipeline.version,
                    "scenes": scenes,
                    "seed": seed,
                    "unseen": report.as_json(figures),
                    "held_out": report.as_json(held_out),
                    "proposals": report.as_json({"all": found})["all"],
                    "end_to_end_mean": mean,
                },
                indent=1,
            )
        )
        return
    console.print(_table(f"{scenes} unseen scenes, seed {seed}, {pipeline.version}", figures))
    console.print(
        _table(f"{scenes} scenes with held-out pairs of colour and noun, their referents only", held_out)
    )
    for name, value in found.items():
        console.print(f"{name}: {value}")
    if mean is not None:
        console.print(f"end to end, mean of {', '.join(report.MEAN_OF)}: {mean:.3f}")


def _run(
    pipeline: Pipeline, n_scenes: int, *, split: str, seed: int, propose: bool
) -> tuple[list[Sample], list[Proposed]]:
    samples: list[Sample] = []
    proposed: list[Proposed] = []
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(f"{split} scenes", total=n_scenes)
        for number, world in enumerate(tinyworld.worlds(n_scenes, split=split, seed=seed)):
            made, found = tinyworld.samples(pipeline, world, number, propose=propose)
            samples += made
            proposed += [found] if found else []
            progress.advance(bar)
    return samples, proposed


def _table(title: str, figures: Figures) -> Table:
    table = Table(title=title)
    table.add_column("kind")
    columns = next(iter(figures.values()))
    for heading in ("expressions", *columns):
        table.add_column(heading, justify="right")
    for row, shares in figures.items():
        table.add_row(row, str(shares["true masks"].count), *(_cell(name, v) for name, v in shares.items()))
    return table


def _cell(name: str, value: Share) -> str:
    return f"{value.mean:.2f}" if name.startswith("1/") else str(value)
