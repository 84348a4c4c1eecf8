"""`ris suggest`: the main path without Label Studio, for one picture."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from backend import assembly, config
from backend.cli.console import console
from backend.core.types import Suggestion
from backend.demo.drawing import draw_alternatives
from backend.errors import ImageUnreachable, InputError
from backend.labelstudio.images import decode


def suggest(
    image: Annotated[Path, typer.Argument(help="a picture: JPEG, PNG, WebP, BMP, TIFF or GIF")],
    expression: Annotated[str, typer.Argument(help='what is meant, e.g. "the left mug"')],
    out: Annotated[Path, typer.Option(help="where to write the picture with the alternatives")] = Path(
        "suggestions.png"
    ),
    preset: Annotated[str | None, typer.Option(help="RIS_PRESET; see `ris models list`")] = None,
) -> None:
    """Print the ranked alternatives for an expression, and draw them, numbered, into a picture.

    Example: `ris suggest scene.png "the left dog" --out alternatives.png`
    """
    settings = config.from_env(preset=preset)
    if not expression.strip():
        raise InputError("the expression is empty; say what is meant, e.g. 'the left dog'")
    if not image.is_file():
        raise ImageUnreachable(f"there is no file {image}")
    picture = decode(image.read_bytes(), max_pixels=settings.max_image_pixels)
    load = assembly.pipeline_of(settings.preset, alternatives=settings.alternatives)
    with console.status("loading the networks"):
        pipeline = load()
    with console.status("looking at the picture"):
        scene = pipeline.see(picture)
    reference = pipeline.refer(scene, expression)
    if not reference.suggestions:
        console.print(f"{image.name}: no mask was proposed, so there is nothing to rank")
        return
    console.print(ranked(expression, reference.suggestions, n_proposals=len(scene.masks)))
    for method, reason in reference.left_out.items():
        console.print(f"{method} had no say: {reason}")
    draw_alternatives(picture, reference.suggestions, out)
    console.print(f"{out} shows them, made by {pipeline.version}")


def ranked(expression: str, suggestions: tuple[Suggestion, ...], *, n_proposals: int) -> Table:
    """The alternatives as a table, best first."""
    methods = sorted({method for s in suggestions for method in s.methods})
    table = Table(title=f'"{expression}": the best {len(suggestions)} of {n_proposals} proposals')
    for heading in ("rank", "score", "box x1 y1 x2 y2", "pixels", *methods):
        table.add_column(heading, justify="right")
    for s in suggestions:
        said = [f"{s.methods[m].score:.2f} (#{s.methods[m].rank + 1})" for m in methods]
        box = " ".join(f"{value:.0f}" for value in s.box)
        table.add_row(str(s.rank + 1), f"{s.score:.2f}", box, str(s.mask.area_px), *said)
    return table
