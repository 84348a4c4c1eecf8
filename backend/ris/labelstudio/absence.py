"""Write "probably no such thing" as an alternative of its own."""

from collections.abc import Sequence
from typing import Any

from ris.core.types import Alternative
from ris.labelstudio.config.control import Controls

_ABSENCE_SUFFIX = "-none"  # of the id of the choice, in the place of an alternative's rank


def write_absence(
    alternatives: Sequence[Alternative], controls: Controls
) -> tuple[list[dict[str, Any]], bool]:
    """Write the choice "object not in image" as a region, and whether it is chosen in advance.

    It is offered if there is probably no such thing, or if it is chosen in advance; and not among shuffled
    alternatives, which show no scores.

    Args:
        alternatives: of one task, best first.
        controls: of a label config, which may have no such choice.

    Returns:
        The region, or [] where nothing is offered.
    """
    first = alternatives[0] if alternatives else None
    absence = first.suggestion.absence if first and first.place is None else None
    if first is None or absence is None or controls.no_referent is None:
        return [], False
    if not (absence.is_probable or absence.is_prechosen):
        return [], False
    choice = controls.no_referent
    region = {
        "id": f"{first.region_id.rpartition('-')[0]}{_ABSENCE_SUFFIX}",
        "from_name": choice.from_name,
        "to_name": choice.to_name,
        "type": "choices",
        "origin": "prediction",
        "score": absence.chance,
        "value": {"choices": [choice.value]},
    }
    return [region], absence.is_prechosen
