"""`ris suggest`: suggestions for one image, without Label Studio."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ris import assembly, config, planning
from ris.cli.console import console, make_table
from ris.cli.options import PresetOption
from ris.core.types import MethodScores, Suggestion
from ris.errors import ImageUnreachable, InputError
from ris.evaluation.drawing import draw_alternatives, draw_heat
from ris.labelstudio.images.decoding import decode_image


def suggest(
    image: Annotated[Path, typer.Argument(help="image file: JPEG, PNG, WebP, BMP, TIFF or GIF")],
    expression: Annotated[str, typer.Argument(help='referring expression, e.g. "the left mug"')],
    out: Annotated[Path, typer.Option(help="file for the drawing of the alternatives")] = Path(
        "suggestions.png"
    ),
    preset: PresetOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="also print the evidence of each method, and draw its heat map")
    ] = False,
) -> None:
    """Rank masks for an expression in one image, and draw them.

    Example: `ris suggest scene.png "the left dog" --out alternatives.png --explain`
    """
    settings = config.read_settings(preset=preset)
    if not expression.strip():
        raise InputError("the expression is empty; give one, e.g. 'the left dog'")
    if not image.is_file():
        raise ImageUnreachable(f"there is no file {image}")
    picture = decode_image(image.read_bytes(), max_pixels=settings.max_image_pixels)
    plan = planning.make_plan(settings)
    if advice := planning.advise_preset(settings, [picture.pixels]):
        console.print(advice, markup=False)
    with console.status("loading the networks"):
        pipeline = assembly.load_pipeline(plan)
    with console.status("processing the image"):
        scene = pipeline.see(picture)
    reference = pipeline.refer(scene, expression, picture)
    if not reference.suggestions:
        raise InputError(
            f"{image.name}: no mask was proposed, so there is nothing to rank; try another preset"
        )
    n_proposals = len(scene.masks) + len(reference.late)
    console.print(make_ranking_table(expression, reference.suggestions, n_proposals=n_proposals))
    for suggestion in reference.suggestions:
        if suggestion.late_method:
            console.print(
                f"the mask of rank {suggestion.rank + 1} was made where {suggestion.late_method} "
                "says that the referent is"
            )
    absence = reference.suggestions[0].absence
    if absence is not None and absence.is_probable:
        console.print(f"probably no such thing: chance {100 * absence.chance:.0f} %")
    for method, reason in reference.skipped_reasons.items():
        console.print(f"{method}: not used ({reason})", markup=False)
    draw_alternatives(picture, reference.suggestions, out)
    console.print(f"{out} shows the alternatives of {pipeline.version}")
    if not explain:
        return
    console.print(make_evidence_table(reference.scores))
    for one in reference.scores:
        if one.heat is not None:
            path = out.with_stem(f"{out.stem}-{one.method}")
            caption = f'"{expression}": where {one.method} looks. Numbers: the alternatives by rank.'
            draw_heat(picture, one.heat, reference.suggestions, path, caption=caption)
            console.print(f"{path} shows the heat map of {one.method} with every alternative and a legend")


def make_evidence_table(scores: tuple[MethodScores, ...]) -> Table:
    """Make a table of the evidence of each method, a row per piece."""
    table = make_table("method", "evidence", "value", title="evidence of the methods", name="evidence")
    for one in scores:
        for name, value in one.evidence.items():
            table.add_row(one.method, name, value)
    return table


def make_ranking_table(expression: str, suggestions: tuple[Suggestion, ...], *, n_proposals: int) -> Table:
    """Make a table of the alternatives, best first."""
    methods = sorted({method for s in suggestions for method in s.methods})
    table = make_table(
        "rank", "score", "box x1 y1 x2 y2", *methods,
        title=f'"{expression}": the best {len(suggestions)} of {n_proposals} proposals', numbers=True,
    )  # fmt: skip
    for s in suggestions:
        scores = [f"{s.methods[m].score:.2f} (#{s.methods[m].rank + 1})" for m in methods]
        box = " ".join(f"{value:.0f}" for value in s.box)
        table.add_row(str(s.rank + 1), f"{s.score:.2f}", box, *scores)
    return table
