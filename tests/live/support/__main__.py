"""`make demo` and `make studio`: the product with a real Label Studio."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ris.errors import BackendError
from tests.live.support.scenario import run_demo, run_studio

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
) -> None:
    """Start Label Studio with 24 tasks and their alternatives, and keep it running until Ctrl-C.

    Example: `python -m tests.live.support studio`
    """
    run_studio(out)


if __name__ == "__main__":
    try:
        app()
    except BackendError as error:
        sys.exit(f"{error}")
