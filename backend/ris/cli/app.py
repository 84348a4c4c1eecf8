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

root_app = typer.Typer(
    name="ris",
    help="Ranked masks for referring expressions in Label Studio, with every decision kept.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
root_app.command()(serve.serve)
root_app.command()(suggest.suggest)
root_app.command()(connect.connect)
root_app.command()(doctor.doctor)
root_app.command()(export.export)
root_app.command()(export.validate)
root_app.command("import")(importing.import_dataset)
root_app.command()(report.report)
root_app.command()(report.evaluate)
root_app.command()(sync.sync)
root_app.command()(tidy.tidy)
root_app.command()(learn.learn)
root_app.command()(prelabel.prelabel)
root_app.add_typer(db.db_app, name="db")
root_app.add_typer(events.events_app, name="events")
root_app.add_typer(models.models_app, name="models")
root_app.add_typer(benchmark.benchmark_app, name="benchmark")
