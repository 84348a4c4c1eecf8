"""`ris benchmark vlm`: what a vision-language model adds, by the share of its answers that are right."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.progress import track

from ris import assembly, config, planning
from ris.cli.console import console, make_table
from ris.cli.options import JsonOption, PresetOption
from ris.core.masks import compute_iou_matrix
from ris.core.shares import Share
from ris.evaluation.tinyworld.drawn_model import DrawnModel
from ris.evaluation.tinyworld.vlm import (
    AskedScene,
    VlmOutcome,
    rank_scene,
    recover_planted_misses,
    see_scenes,
)
from ris.evaluation.tinyworld.vlm_figures import VLM_TABLES, VlmRun, compute_vlm_figures
from ris.learning.case import TrainingCase
from ris.referring.absence import find_absence_signals
from ris.referring.grounder import GROUNDER, GROUNDER_TEMPERATURE, Grounder
from ris.referring.grounding.dialects import DIALECTS
from ris.referring.kinds import find_kind
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings, compute_discounts
from ris.referring.verifier import VERIFIER, VERIFIER_TEMPERATURE, Verifier

DRAWN_RIGHT_RATES = (0.0, 0.3, 0.6, 0.9)


def run_vlm(
    scenes: Annotated[
        int, typer.Option(help="number of unseen scenes; half of them are to learn from", min=40)
    ] = 200,
    per_scene: Annotated[
        int, typer.Option(help="most expressions of a scene that have a referent", min=1)
    ] = 3,
    seed: Annotated[int, typer.Option(help="seed of the scenes", min=1000)] = 940_001,
    preset: PresetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what a vision-language model adds, by the share of its answers that are right.

    No model is asked: a program answers from the truth of drawn scenes. Every scene also has one expression
    without a referent.

    Example: `ris benchmark vlm --scenes 200`
    """
    settings = config.read_settings(preset=preset).model_copy(update={"vlm_url": None, "vlm_model": None})
    alone = assembly.load_pipeline(planning.make_plan(settings))
    models = [DrawnModel(rate) for rate in DRAWN_RIGHT_RATES]
    asking = [add_drawn_model(alone, model) for model in models]
    drawn = see_scenes(asking[0], scenes, seed=seed, per_scene=per_scene)
    seen = list(track(drawn, total=scenes, description="scenes", console=console, transient=True))
    train, test = seen[: scenes // 2], seen[scenes // 2 :]
    base = _measure(alone, None, train, test)
    runs = {"without": base}
    for model, pipeline in zip(models, asking, strict=True):
        runs[f"{model.right_rate:.1f}"] = _measure(pipeline, model, train, test)
    figures = {name: compute_vlm_figures(run, base) for name, run in runs.items()}
    if as_json:
        shown = {name: {key: asdict(one) for key, one in found.items()} for name, found in figures.items()}
        whole = {"model_version": alone.version, "scenes": scenes, "seed": seed, "right_answers": shown}
        typer.echo(json.dumps(whole, indent=1))
        return
    console.print(f"{len(test)} test scenes, {len(train)} to learn from, seed {seed}, {alone.version}")
    show_vlm_figures(figures)


def show_vlm_figures(figures: Mapping[str, Mapping[str, Share]]) -> None:
    """Print the tables: a row for each share of right answers, and one without a model."""
    for title, columns in VLM_TABLES.items():
        table = make_table("right answers", *columns, title=title, numbers=True)
        for name, found in figures.items():
            table.add_row(name, *(str(found[column]) if column in found else "-" for column in columns))
        console.print(table)


def add_drawn_model(pipeline: Pipeline, model: DrawnModel) -> Pipeline:
    """Return a pipeline that asks a model, as grounder and as verifier."""
    from ris.pretrained.endpoint.picture import encode_jpeg

    temperatures = {GROUNDER: GROUNDER_TEMPERATURE, VERIFIER: VERIFIER_TEMPERATURE}
    ranking = replace(pipeline.ranking, temperatures={**temperatures, **pipeline.ranking.temperatures})
    grounder = Grounder(model, DIALECTS["qwen3-vl"], encode_jpeg)
    verifier = Verifier(model, encode_jpeg)
    return replace(pipeline, methods=(grounder, *pipeline.methods), ranking=ranking, verifier=verifier)


def _measure(
    pipeline: Pipeline, model: DrawnModel | None, train: Sequence[AskedScene], test: Sequence[AskedScene]
) -> VlmRun:
    """Rank the test scenes before and after learning from the others."""
    from ris.learning.learner import fit_coefficients  # here: scikit-learn takes a second to import

    name = f"{model.right_rate:.1f}" if model else "without"

    def rank(chosen: Pipeline, scenes: Sequence[AskedScene]) -> list[VlmOutcome]:
        shown = track(scenes, description=f"right answers: {name}", console=console, transient=True)
        return [one for asked in shown for one in rank_scene(chosen, asked, model)]

    cases = [case for one in rank(pipeline, train) if (case := _make_case(one)) is not None]
    prior = pipeline.ranking.coefficients
    found = fit_coefficients(cases, prior=prior, current=prior).coefficients or prior
    return VlmRun(
        before=rank(pipeline, test),
        learned=rank(pipeline.replace_ranking(found, "learned"), test),
        recovered=[recover_planted_misses(pipeline, asked, model) for asked in test] if model else (),
        has_model=model is not None,
    )


def _make_case(one: VlmOutcome) -> TrainingCase | None:
    scores = {o.method: o.scores for o in one.result.scores if not o.skipped_reason}
    if not one.masks or not scores:
        return None
    late = tuple(late.method for late in one.result.late)
    right = [] if one.referent is None else [one.referent]
    ious = compute_iou_matrix(one.masks, right).max(1, initial=0.0)
    return TrainingCase(
        kind=find_kind(one.expression),
        image=str(one.scene),
        scores=scores,
        discount=compute_discounts(one.masks, RankingSettings(), n_late=len(late)),
        ious=ious,
        late=late,
        absence=find_absence_signals(one.result.scores),
        has_referent=one.referent is not None,
    )
