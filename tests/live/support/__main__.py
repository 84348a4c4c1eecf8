"""`make demo` and `make studio`: the product with a real Label Studio."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ris.cli.quickstart import quickstart
from ris.errors import BackendError
from tests.live.support.scenario import run_demo, run_studio
from tests.live.support.studio import install_label_studio

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="folder for the database, the exports and the image")] = Path(
        "demo"
    ),
) -> None:
    """Run the whole workflow in a real Label Studio: tasks, alternatives, decisions, SQL, exports.

    Example: `python -m tests.live.support demo --out demo`
    """
    run_demo(out)


@app.command()
def studio(
    out: Annotated[Path, typer.Option(help="folder for the database and the logs")] = Path("studio"),
    images: Annotated[Path | None, typer.Option(help="folder of your images, instead of drawn ones")] = None,
    expressions: Annotated[
        Path | None, typer.Option(help="with --images: their expressions, as `ris quickstart` reads them")
    ] = None,
) -> None:
    """Start Label Studio with 24 drawn tasks, or your own, and keep it running until Ctrl-C.

    Example: `python -m tests.live.support studio`
    """
    if (images is None) != (expressions is None):
        raise BackendError("give IMAGES, a folder, and EXPRESSIONS, a CSV or text file, or none of them")
    if images is None or expressions is None:
        run_studio(out)
        return
    quickstart(images, expressions, folder=out, command=str(install_label_studio()))


if __name__ == "__main__":
    try:
        app()
    except BackendError as error:
        sys.exit(f"{error}")
