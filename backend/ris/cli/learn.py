"""`ris learn`: fit the ranking to the decisions."""

from ris import assembly, config
from ris.cli.console import console
from ris.cli.options import DatabaseUrlOption, PresetOption, ProjectKeyOption


def learn(
    project: ProjectKeyOption = None,
    database_url: DatabaseUrlOption = None,
    preset: PresetOption = None,
) -> None:
    """Re-weight the methods on your decisions; kept only if better on held-out images.

    The weights of the methods and the calibration of the scores are fitted. A running server uses them from
    the next request on. `ris models use` selects an earlier version.

    Example: `ris learn`
    """
    training = assembly.make_training_service(config.read_settings(database_url=database_url, preset=preset))
    try:
        with console.status("learning"):
            trained = training.train(project=project)
    finally:
        training.database.close()
    for sentence in trained.fit_result.summary:
        console.print(sentence, markup=False)
    if trained.version:
        console.print(f"in use now: {trained.version}", markup=False)
    else:
        console.print("nothing changed")
