"""Check of the vision-language model that the settings name."""

from dataclasses import replace

from ris import assembly, planning
from ris.config import Settings
from ris.doctor.check import Check
from ris.errors import BackendError

_NAME = "vision model"


def check_vision_model(settings: Settings) -> Check | None:
    """Probe the vision-language model, and compare with what is kept of the last probe; None without a model.

    It makes some dozen calls, and keeps nothing.
    """
    try:
        endpoint = planning.choose_endpoint(settings)
        if endpoint is None:
            return None
        found = assembly.probe_endpoint(endpoint)
    except BackendError as error:
        return Check(_NAME, False, str(error))
    kept, said = endpoint.finding, f"{found.model}: {found.summary}"
    if kept is None:
        message = f"{said}. It is not asked where things are before `ris models probe`"
        return Check(_NAME, True, message, is_warning=True)
    reading = replace(found.reading, gain=kept.reading.gain, shift=kept.reading.shift)  # measured anew
    if replace(found, accuracy=kept.accuracy, error=kept.error, reading=reading) != kept:
        return Check(_NAME, False, f"{said}; at the last probe: {kept.summary}. Run `ris models probe` again")
    return Check(_NAME, True, said)
