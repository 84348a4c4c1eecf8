"""`ris` and its commands."""

import typer

from ris.cli import (
    benchmark,
    connect,
    db,
    doctor,
    events,
    export,
    importing,
    learn,
    models,
    prelabel,
    report,
    serve,
    suggest,
    sync,
    tidy,
)

app = typer.Typer(
    name="ris",
    help="Ranked masks for referring expressions in Label Studio, with every decision kept.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(suggest.suggest)
app.command()(connect.connect)
app.command()(doctor.doctor)
app.command()(export.export)
app.command()(export.validate)
app.command("import")(importing.import_dataset)
app.command()(report.report)
app.command()(report.evaluate)
app.command()(sync.sync)
app.command()(tidy.tidy)
app.command()(learn.learn)
app.command()(prelabel.prelabel)
app.add_typer(db.app, name="db")
app.add_typer(events.app, name="events")
app.add_typer(models.app, name="models")
app.add_typer(benchmark.app, name="benchmark")
