"""`ris models probe`: find out how a vision-language model writes coordinates."""

from ris import assembly, config, planning
from ris.cli.console import console
from ris.errors import SettingsError
from ris.referring.grounding.finding import get_finding_path, write_finding


def probe_vision_model() -> None:
    """Ask the vision-language model for shapes at known places, and keep how it writes coordinates.

    It sends about a dozen drawn pictures to `RIS_VLM_URL`; where no question of a known family fits at once,
    up to a hundred. A model whose answers fit no reading is refused. What was found is kept in
    `RIS_MODELS_FOLDER` and belongs to the model version: run it again after the server or its model changed,
    and restart `ris serve` then.

    Example: `ris models probe`
    """
    settings = config.read_settings()
    endpoint = planning.choose_endpoint(settings, with_finding=False)
    if endpoint is None:
        raise SettingsError("RIS_VLM_URL and RIS_VLM_MODEL are not set; there is no model to probe")
    finding = assembly.probe_endpoint(endpoint)
    path = get_finding_path(planning.get_models_folder(settings), endpoint.url, endpoint.model)
    write_finding(path, finding)
    console.print(f"{endpoint.model}: {finding.summary}", markup=False)
    console.print(f"kept in {path}", markup=False)
