"""`ris demo` and `ris studio`: the whole loop in a real Label Studio."""

from pathlib import Path
from typing import Annotated

import typer

from backend.demo.story import run_demo, run_studio


def demo(
    out: Annotated[Path, typer.Option(help="folder for the database, the exports and the picture")] = Path(
        "demo"
    ),
) -> None:
    """Play the main job in a real Label Studio: tasks, alternatives, decisions, SQL, exports.

    Example: `ris demo --out demo`
    """
    run_demo(out)


def studio(
    out: Annotated[Path, typer.Option(help="folder for the database and the logs")] = Path("studio"),
) -> None:
    """Start Label Studio with 24 tasks and their alternatives, and keep it running until Ctrl-C.

    Example: `ris studio`
    """
    run_studio(out)
