"""`ris benchmark`: accuracy of the methods, with intervals."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import Progress, track
from rich.table import Table

from ris import assembly, config, planning
from ris.cli import refcoco
from ris.cli.benchmark_vlm import run_vlm
from ris.cli.console import console, make_table
from ris.cli.options import JsonOption, PresetOption
from ris.core import rle
from ris.core.masks import compute_iou_matrix
from ris.evaluation.tinyworld import samples as tinyworld
from ris.evaluation.tinyworld import tables as report
from ris.evaluation.tinyworld.ablations import add_ablations
from ris.evaluation.tinyworld.samples import ProposalOutcome, TinyworldOutcome
from ris.evaluation.tinyworld.tables import ShareTable
from ris.export.drawn_scenes import DrawnScene, write_drawn_scenes
from ris.learning.case import TrainingCase
from ris.referring.kinds import find_kind
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings, compute_discounts
from ris.tinyworld.scene import SyntheticScene as World

TITLES = {
    "floors": "chance level",
    "true_masks_first": "with the true masks, first",
    "true_masks_first_three": "with the true masks, among the first three",
    "held_out_first": "referents with held-out pairs of colour and noun, with the true masks, first",
    "networks": "matcher and describer alone",
    "end_to_end_first": "end to end, first has IoU > 0.5",
    "end_to_end_first_three": "end to end, one of the first three has IoU > 0.5",
}

GAINS = (
    ("lgd: as it is", "lgd: neither description", ("attribute", "relation")),
    ("iterprime: as it is", "iterprime: refinement off", tuple(report.KINDS_BY_ROW)),
    ("iterprime: as it is", "iterprime: emphasis off", tuple(report.KINDS_BY_ROW)),
)

benchmark_app = typer.Typer(help="Measure the methods on data with known masks.", no_args_is_help=True)


benchmark_app.command("refcoco")(refcoco.run_refcoco)
benchmark_app.command("refcoco-table")(refcoco.print_refcoco_table)
benchmark_app.command("vlm")(run_vlm)


@benchmark_app.command("tinyworld")
def run_tinyworld(
    scenes: Annotated[
        int, typer.Option(help="number of unseen scenes, and of scenes with held-out pairs", min=1)
    ] = 500,
    seed: Annotated[
        int, typer.Option(help="seed of the scenes; trainings use seeds below 1000", min=1000)
    ] = (tinyworld.TEST_SEED),
    preset: PresetOption = None,
    as_json: JsonOption = False,
    proposals: Annotated[bool, typer.Option(help="also measure end to end, with proposed masks")] = True,
) -> None:
    """Measure the ranking on drawn scenes that no training used: true masks, held-out pairs, end to end.

    Example: `ris benchmark tinyworld --scenes 500 --json`
    """
    pipeline = assembly.load_pipeline(planning.make_plan(config.read_settings(preset=preset)))
    samples, proposed = _run_scenes(pipeline, scenes, split="train", seed=seed, propose=proposals)
    novel, _ = _run_scenes(pipeline, scenes, split="novel", seed=seed + 1, propose=False)
    held_out = [sample for sample in novel if sample.is_held_out]
    tables = {
        "floors": report.tabulate_by_kind(samples, report.get_chance_levels),
        "true_masks_first": report.tabulate_by_kind(samples, report.make_true_mask_metric(1)),
        "true_masks_first_three": report.tabulate_by_kind(samples, report.make_true_mask_metric(3)),
        "held_out_first": report.tabulate_by_kind(held_out, report.make_true_mask_metric(1)),
        "networks": report.tabulate_by_kind(samples, report.get_network_results),
    }
    if proposals:
        tables |= {
            "end_to_end_first": report.tabulate_by_kind(samples, report.make_end_to_end_metric(1)),
            "end_to_end_first_three": report.tabulate_by_kind(samples, report.make_end_to_end_metric(3)),
        }
    found = report.compute_proposal_metrics(proposed) if proposals else {}
    mean = report.compute_end_to_end_mean(tables["end_to_end_first"]) if proposals else None
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "model_version": pipeline.version,
                    "scenes": scenes,
                    "seed": seed,
                    **{name: report.to_json_table(figures) for name, figures in tables.items()},
                    "proposals": report.to_json_table({"all": found})["all"],
                    "end_to_end_mean": mean,
                },
                indent=1,
            )
        )
        return
    console.print(f"{scenes} unseen scenes, seed {seed}, {pipeline.version}")
    for name, figures in tables.items():
        console.print(_make_table(TITLES[name], figures))
    for name, value in found.items():
        console.print(f"{name}: {value}")
    if mean is not None:
        console.print(f"end to end, first: mean of {', '.join(report.MEAN_ROWS)}: {mean:.3f}")


@benchmark_app.command("export-tinyworld")
def export_tinyworld(
    folder: Annotated[Path, typer.Argument(help="new folder")],
    scenes: Annotated[int, typer.Option(help="number of unseen scenes", min=1)] = 500,
    seed: Annotated[
        int, typer.Option(help="seed of the scenes; trainings use seeds below 1000", min=1000)
    ] = (tinyworld.TEST_SEED),
) -> None:
    """Write the scenes and expressions of `ris benchmark tinyworld` in the format of RefCOCO, with images.

    Example: `ris benchmark export-tinyworld drawn --scenes 100`
    """
    worlds = tinyworld.make_worlds(scenes, split="train", seed=seed)
    count = write_drawn_scenes((_make_drawn_scene(world, n) for n, world in enumerate(worlds)), folder)
    console.print(f"{folder}: {count} expressions; try `ris benchmark refcoco {folder}`")


def _make_drawn_scene(world: World, number: int) -> DrawnScene:
    referents = [
        (e.text, rle.encode_rle(world.get_mask(e.referent)))
        for e in tinyworld.sample_expressions(world, number)
    ]
    return DrawnScene(np.ascontiguousarray(world.image), referents)


@benchmark_app.command("switches")
def run_switches(
    scenes: Annotated[int, typer.Option(help="number of unseen scenes", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="seed of the scenes", min=1000)] = tinyworld.TEST_SEED,
    preset: PresetOption = None,
) -> None:
    """Measure each part of a method by switching it off, with the true masks.

    Example: `ris benchmark switches --scenes 200`
    """
    pipeline = add_ablations(assembly.load_pipeline(planning.make_plan(config.read_settings(preset=preset))))
    samples, _ = _run_scenes(pipeline, scenes, split="train", seed=seed, propose=False)
    figures = report.tabulate_by_kind(samples, report.make_true_mask_metric(1))
    console.print(f"{scenes} unseen scenes, seed {seed}, {pipeline.version}; true masks, first")
    table = make_table("method: switch", *figures)
    for method in pipeline.methods:
        table.add_row(method.name, *(str(columns.get(method.name, "-")) for columns in figures.values()))
    console.print(table)
    for better, base, rows in GAINS:
        gained = report.compute_gain(samples, better, base, rows)
        console.print(f"{better} compared with {base}, {' and '.join(rows)}: {gained} of {gained.count}")


@benchmark_app.command("learning")
def run_learning(
    scenes: Annotated[
        int, typer.Option(help="number of unseen scenes; half of them are for learning", min=40)
    ] = 240,
    seeds: Annotated[int, typer.Option(help="number of trials, each with other halves", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="seed of the scenes", min=1000)] = 970_001,
    preset: PresetOption = None,
) -> None:
    """Shuffle the scores of one method per kind of expression, and measure how much learning recovers.

    Example: `ris benchmark learning --scenes 240 --seeds 20`
    """
    from ris.learning.recovery import run_trial  # here: scikit-learn takes a second to import

    pipeline = assembly.load_pipeline(planning.make_plan(config.read_settings(preset=preset)))
    prior = pipeline.ranking.coefficients
    cases: list[TrainingCase] = []
    for number, world in enumerate(
        track(tinyworld.make_worlds(scenes, split="train", seed=seed), total=scenes)
    ):
        cases += [
            case
            for one in tinyworld.score_world(pipeline, world, number)
            if (case := _make_case(one, number))
        ]
    voting = [name for name in pipeline.method_names if prior.fusion.weights.get(name, 1.0) > 0]
    console.print(f"{len(cases)} decisions on {scenes} unseen scenes, seed {seed}, {pipeline.version}")
    table = make_table(
        "mean IoU, top 1, held-out", "before", "learned", "best fixed", "recovered", "minimum", "worse in"
    )
    for handicap, name in ((True, "one method per kind shuffled"), (False, "no method shuffled")):
        trials = [run_trial(cases, prior, voting, s, handicap=handicap) for s in track(range(seeds))]
        columns = zip(*((t.before, t.after, t.best, t.recovery) for t in trials), strict=True)
        worse = sum(t.after < t.before for t in trials)
        means = [f"{sum(column) / seeds:.3f}" for column in columns]
        table.add_row(name, *means, f"{min(t.recovery for t in trials):.3f}", f"{worse} of {seeds} seeds")
    console.print(table)


def _make_case(one: tinyworld.ScoredExpression, number: int) -> TrainingCase | None:
    masks = one.result.list_masks(one.scene)
    if not masks:
        return None
    late = tuple(late.method for late in one.result.late)
    return TrainingCase(
        kind=find_kind(one.expression),
        image=str(number),
        scores={o.method: o.scores for o in one.result.scores if not o.skipped_reason},
        discount=compute_discounts(masks, RankingSettings(), n_late=len(late)),
        ious=compute_iou_matrix(masks, [one.referent])[:, 0],
        late=late,
    )


def _run_scenes(
    pipeline: Pipeline, n_scenes: int, *, split: str, seed: int, propose: bool
) -> tuple[list[TinyworldOutcome], list[ProposalOutcome]]:
    samples: list[TinyworldOutcome] = []
    proposed: list[ProposalOutcome] = []
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(f"{split} scenes", total=n_scenes)
        for number, world in enumerate(tinyworld.make_worlds(n_scenes, split=split, seed=seed)):
            outcomes, proposal = tinyworld.evaluate_world(pipeline, world, number, propose=propose)
            samples += outcomes
            proposed += [proposal] if proposal else []
            progress.advance(bar)
    return samples, proposed


def _make_table(title: str, figures: ShareTable) -> Table:
    table = make_table("kind", "expressions", *figures["all"], title=title, numbers=True)
    for row, shares in figures.items():
        count = str(next(iter(shares.values())).count) if shares else "0"
        table.add_row(row, count, *map(str, shares.values()))
    return table
