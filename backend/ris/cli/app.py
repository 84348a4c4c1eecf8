"""`ris` and its commands. The module of a command is imported when the command is used."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a group of commands.

    Attributes:
        place: module and name, "ris.cli.serve:serve"; a function, or a `typer.Typer` for a group.
        summary: line in `ris --help`. It equals the first line of the command's own help.
    """

    place: str
    summary: str


COMMANDS = {
    "serve": Command("ris.cli.serve:serve", "Serve Label Studio's requests for suggestions."),
    "suggest": Command(
        "ris.cli.suggest:suggest", "Rank masks for an expression in one image, and draw them."
    ),
    "connect": Command(
        "ris.cli.connect:connect",
        "Check or set the label config, add the ML backend, create or repair the webhook. Safe to run twice.",
    ),
    "doctor": Command(
        "ris.cli.doctor:doctor",
        "Check database, models, server, Label Studio and a project; say for each failure what to change.",
    ),
    "export": Command(
        "ris.cli.export:export", "Write the current decisions as files in one or more formats."
    ),
    "validate": Command("ris.cli.export:validate", "Read an export back and compare it with the database."),
    "import": Command("ris.cli.importing:import_dataset", "Import images and expressions as tasks."),
    "report": Command("ris.cli.report:report", "Write an HTML report on the decisions."),
    "evaluate": Command(
        "ris.cli.report:evaluate", "Print how well the suggestions agree with the decisions."
    ),
    "sync": Command(
        "ris.cli.sync:sync", "Compare the recorded decisions with Label Studio, and correct them."
    ),
    "forget": Command(
        "ris.cli.sync:forget",
        "Stop syncing a project that is gone in Label Studio. Its decisions stay in the database.",
    ),
    "tidy": Command("ris.cli.tidy:tidy", "Remove the masks that were not chosen from decided annotations."),
    "learn": Command("ris.cli.learn:learn", "Fit the ranking to the decisions, and use it if it is better."),
    "prelabel": Command("ris.cli.prelabel:prelabel", "Compute suggestions for tasks that have none."),
    "db": Command("ris.cli.db:db_app", "Manage the database."),
    "events": Command("ris.cli.events:events_app", "Show the webhook events that Label Studio sent."),
    "models": Command("ris.cli.models:models_app", "Manage networks, presets and learned rankings."),
    "benchmark": Command("ris.cli.benchmark:benchmark_app", "Measure the methods on data with known masks."),
}


class LazyGroup(TyperGroup):
    """The commands of `COMMANDS`, each imported when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """List the names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command; None if there is no such command."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else load_command(cmd_name, entry)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Format the help from the summaries, without importing a command."""
        listed: dict[str, Any] = {
            name: TyperCommand(name, help=entry.summary) for name, entry in COMMANDS.items()
        }
        TyperGroup(
            name=self.name, help=self.help, params=self.params, commands=listed,
            rich_markup_mode=self.rich_markup_mode,
        ).format_help(ctx, formatter)  # fmt: skip


def load_command(name: str, entry: Command) -> Any:
    """Import the module of a command and make typer's command or group of it."""
    module, _, attribute = entry.place.partition(":")
    command = getattr(import_module(module), attribute)
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    else:
        app.command(name)(command)
    return get_group(app).commands[name]


root_app = typer.Typer(
    name="ris",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@root_app.callback()
def ris() -> None:
    """Ranked masks for referring expressions in Label Studio, with every decision kept."""
