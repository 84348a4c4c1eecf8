"""`ris suggest`: the main path without Label Studio, for one picture."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ris import assembly, config
from ris.cli.console import console, make_table
from ris.cli.options import PresetOption
from ris.core.types import MethodScores, Suggestion
from ris.errors import ImageUnreachable, InputError
from ris.evaluation.drawing import draw_alternatives, draw_heat
from ris.labelstudio.images.decoding import decode_image


def suggest(
    image: Annotated[Path, typer.Argument(help="a picture: JPEG, PNG, WebP, BMP, TIFF or GIF")],
    expression: Annotated[str, typer.Argument(help='what is meant, e.g. "the left mug"')],
    out: Annotated[Path, typer.Option(help="where to write the picture with the alternatives")] = Path(
        "suggestions.png"
    ),
    preset: PresetOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="also say what each method went by, and draw where it looked")
    ] = False,
) -> None:
    """Rank masks for an expression in one image, and draw them.

    Example: `ris suggest scene.png "the left dog" --out alternatives.png --explain`
    """
    settings = config.read_settings(preset=preset)
    if not expression.strip():
        raise InputError("the expression is empty; say what is meant, e.g. 'the left dog'")
    if not image.is_file():
        raise ImageUnreachable(f"there is no file {image}")
    picture = decode_image(image.read_bytes(), max_pixels=settings.max_image_pixels)
    plan = assembly.make_plan(settings)
    with console.status("loading the networks"):
        pipeline = assembly.load_pipeline(plan)
    with console.status("looking at the picture"):
        scene = pipeline.see(picture)
    reference = pipeline.refer(scene, expression)
    if not reference.suggestions:
        console.print(f"{image.name}: no mask was proposed, so there is nothing to rank")
        return
    console.print(make_ranking_table(expression, reference.suggestions, n_proposals=len(scene.masks)))
    for method, reason in reference.left_out.items():
        console.print(f"{method} had no say: {reason}")
    draw_alternatives(picture, reference.suggestions, out)
    console.print(f"{out} shows them, made by {pipeline.version}")
    if not explain:
        return
    console.print(make_evidence_table(reference.scores))
    for opinion in reference.scores:
        if opinion.heat is not None:
            path = out.with_stem(f"{out.stem}-{opinion.method}")
            draw_heat(picture, opinion.heat, reference.suggestions, path)
            console.print(f"{path} shows where {opinion.method} looked")


def make_evidence_table(opinions: tuple[MethodScores, ...]) -> Table:
    """What every method went by, a line each."""
    table = make_table("method", "went by", "which was", title="why")
    for opinion in opinions:
        for what, words in opinion.evidence.items():
            table.add_row(opinion.method, what, words)
    return table


def make_ranking_table(expression: str, suggestions: tuple[Suggestion, ...], *, n_proposals: int) -> Table:
    """The alternatives as a table, best first."""
    methods = sorted({method for s in suggestions for method in s.methods})
    table = make_table(
        "rank", "score", "box x1 y1 x2 y2", *methods,
        title=f'"{expression}": the best {len(suggestions)} of {n_proposals} proposals', numbers=True,
    )  # fmt: skip
    for s in suggestions:
        said = [f"{s.methods[m].score:.2f} (#{s.methods[m].rank + 1})" for m in methods]
        box = " ".join(f"{value:.0f}" for value in s.box)
        table.add_row(str(s.rank + 1), f"{s.score:.2f}", box, *said)
    return table
