"""`ris learn`: a better ranking from the team's own decisions."""

from ris import assembly, config
from ris.cli.console import console
from ris.cli.options import DatabaseUrlOption, PresetOption, ProjectKeyOption


def learn(
    project: ProjectKeyOption = None,
    database_url: DatabaseUrlOption = None,
    preset: PresetOption = None,
) -> None:
    """Fit the fusion and its calibration to the decisions; taken only if held-out images say so.

    A running server offers the new version from its next request on. `ris models use` goes back.

    Example: `ris learn`
    """
    training = assembly.make_training_service(config.read_settings(database_url=database_url, preset=preset))
    try:
        with console.status("learning"):
            trained = training.train(project=project)
    finally:
        training.database.close()
    for sentence in trained.fit_result.says:
        console.print(sentence, markup=False)
    if trained.version:
        console.print(f"in use now: {trained.version}", markup=False)
    else:
        console.print("nothing changed")
