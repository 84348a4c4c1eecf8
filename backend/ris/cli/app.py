"""`ris` and its commands. The module of a command is imported when the command is used."""

from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from ris import __version__


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
    "quickstart": Command(
        "ris.cli.quickstart:quickstart",
        "Make a connected project from a folder of images and a file of expressions, and keep it running.",
    ),
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
    "check": Command(
        "ris.cli.check:check",
        "Find what a person should look at: contradictions, ambiguous words, typos, odd masks, duplicates.",
    ),
    "agreement": Command(
        "ris.cli.agreement:agreement", "Print how far people agree who answered the same tasks."
    ),
    "adjudicate": Command(
        "ris.cli.adjudicate:adjudicate",
        "Fill a project with the tasks on which people disagree, so that somebody settles them.",
    ),
    "gold": Command(
        "ris.cli.gold:gold_app", "Mix in tasks whose right answer is known, and score people on them."
    ),
    "sync": Command(
        "ris.cli.sync:sync", "Compare the recorded decisions with Label Studio, and correct them."
    ),
    "forget": Command(
        "ris.cli.sync:forget",
        "Stop syncing a project that is gone in Label Studio. Its decisions stay in the database.",
    ),
    "tidy": Command("ris.cli.tidy:tidy", "Remove the masks that were not chosen from decided annotations."),
    "learn": Command(
        "ris.cli.learn:learn",
        "Re-weight the methods on your decisions; kept only if better on held-out images.",
    ),
    "prelabel": Command("ris.cli.prelabel:prelabel", "Compute suggestions for tasks that have none."),
    "db": Command("ris.cli.db:db_app", "Manage the database."),
    "events": Command("ris.cli.events:events_app", "Show the webhook events that Label Studio sent."),
    "models": Command("ris.cli.models:models_app", "Manage networks, presets and learned rankings."),
    "benchmark": Command("ris.cli.benchmark:benchmark_app", "Measure the methods on data with known masks."),
}


# The commands that print a table, and so have `--json`. Those of `ris benchmark` that have one of their own
# print more than their tables there.
TABLE_COMMANDS = frozenset({
    "suggest", "connect", "doctor", "export", "validate", "evaluate", "sync", "prelabel", "tidy", "events",
    "check", "agreement", "adjudicate", "gold add",
    "gold choose", "gold score", "events history", "models list", "models fetch", "models versions",
    "benchmark switches", "benchmark learning", "db size",
})  # fmt: skip


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
        shown = TyperGroup(
            name=self.name, help=self.help, params=self.params, commands=listed,
            rich_markup_mode=self.rich_markup_mode,
        )  # fmt: skip
        _hide_flag_types(shown)
        shown.format_help(ctx, formatter)


def load_command(name: str, entry: Command) -> Any:
    """Import the module of a command and make typer's command or group of it."""
    module, _, attribute = entry.place.partition(":")
    command = getattr(import_module(module), attribute)
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    else:
        app.command(name)(command)
    loaded = get_group(app).commands[name]
    _add_output_options(loaded, name)
    return loaded


def _add_output_options(command: Any, path: str) -> None:
    """Add `--quiet` to a command and those below it, and `--json` to those that print a table."""
    for option in get_command(_make_options_app()).params:
        if option.name == "quiet" or (option.name == "json" and path in TABLE_COMMANDS):
            option.expose_value = False  # the console has it; no command needs it
            command.params.append(option)
    _hide_flag_types(command)
    for name, below in getattr(command, "commands", {}).items():
        _add_output_options(below, f"{path} {name}")


def _hide_flag_types(command: Any) -> None:
    """Show no "<bool>" behind an option without a value."""
    flags = [one for one in command.params if getattr(one, "is_flag", False)]
    for flag in [*flags, command.get_help_option(typer.Context(command))]:
        flag.metavar = ""


def _make_options_app() -> typer.Typer:
    """Make an app whose only purpose is that typer makes the two options."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def take_options(
        json: Annotated[
            bool,
            typer.Option(
                "--json", callback=_start_output, is_eager=True, help="print the tables as one JSON object"
            ),
        ] = False,
        quiet: Annotated[
            bool,
            typer.Option(
                "--quiet", callback=_start_output, is_eager=True, help="print tables and errors alone"
            ),
        ] = False,
    ) -> None: ...

    return app


def _start_output(context: typer.Context, option: typer.CallbackParam, value: bool) -> bool:
    """Tell the console what was asked for, each time one of the two options is read."""
    from ris.cli.console import console  # here: `ris --help` prints without it

    chosen = context.meta.setdefault(context.command_path, {})
    chosen[option.name] = value
    console.start_output(as_json=chosen.get("json", False), is_quiet=chosen.get("quiet", False))
    if option.name == "json" and value:
        context.call_on_close(console.print_json_document)
    return value


root_app = typer.Typer(
    name="ris",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"ris {__version__}")
        raise typer.Exit


@root_app.callback()
def ris(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="print the version")
    ] = False,
) -> None:
    """Ranked masks for referring expressions in Label Studio; logs every decision.

    Exit codes: 0 done; 1 something failed, and a sentence on the standard error says what; 2 the command line
    is wrong; 130 stopped by Ctrl-C; 143 stopped by SIGTERM.
    """
