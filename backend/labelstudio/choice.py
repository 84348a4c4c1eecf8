"""What an annotator chose with a key: which of the regions on the screen are meant, if any."""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.core.types import Task
from backend.errors import RegionError
from backend.labelstudio.control import Controls
from backend.labelstudio.region import FIXED, offer_id, region_id
from backend.labelstudio.result import READERS, kind_of

OURS = "ris"  # what the ids of our own regions begin with
UNTOUCHED = "prediction"  # the origin of a region that nobody changed


def meant(result: Sequence[Any], controls: Controls) -> list[Any]:
    """The regions that an answer means, by its choice; all of them when there was none to make.

    * "no such thing": none, whatever still lies on the image.
    * In the presentation "pick" a rank: the regions of that rank's label.
    * "drew it myself": those that are not ours or were changed.

    Raises:
        RegionError: the choice has no region: nothing of that rank, or nothing drawn.
    """
    if not isinstance(result, list):
        raise RegionError(f"an annotation's result must be a list of regions, got {type(result).__name__}")
    result = [r for r in result if not (isinstance(r, dict) and r.get("from_name") in controls.tools)]
    chosen = chosen_in(result, controls)
    if controls.no_referent and controls.no_referent.value in chosen:
        return []
    pick = controls.pick
    if pick is None:
        return result
    ranks = [value for value in pick.ranks if value in chosen]
    if ranks:
        found = [region for region in result if _label(region, controls) == ranks[0]]
        if not found:
            raise RegionError(f"{ranks[0]!r} was chosen and no mask has that label")
        return found
    if pick.own and pick.own in chosen:
        found = [r for r in result if _label(r, controls) is not None and not _is_untouched_offer(r)]
        if not found:
            raise RegionError(f"{pick.own!r} was chosen and nothing was drawn")
        return found
    return result


def typed_in(result: Sequence[Any], controls: Controls) -> str:
    """The expression that an annotator typed last; "" when none was."""
    said = ""
    for region in result if isinstance(result, list) else ():
        if isinstance(region, dict) and region.get("from_name") == controls.typed:
            said = words_of(region) or said
    return said


def words_of(region: Mapping[str, Any]) -> str:
    """The last line of a TextArea's region that says something; "" of any other region."""
    value = region.get("value")
    text = value.get("text") if region.get("type") == "textarea" and isinstance(value, Mapping) else None
    lines = [text] if isinstance(text, str) else text
    said = [str(line).strip() for line in lines if str(line).strip()] if isinstance(lines, list) else []
    return said[-1] if said else ""


def without_offers_for(words: str, result: Sequence[Any], task: Task) -> Sequence[Any]:
    """The regions without what was offered for some words and left as it was: others were typed since."""
    return [
        r for r in result
        if not (
            isinstance(r, dict)
            and _is_untouched_offer(r)
            and (_is_for(words, r, task) or _is_of_another_task(r, task))
        )
    ]  # fmt: skip


def _is_of_another_task(region: Mapping[str, Any], task: Task) -> bool:
    """Whether a region was offered elsewhere, and imported: not for the words that were typed here."""
    meta = region.get("meta")
    has_version = isinstance(meta, Mapping) and meta.get("version") is not None
    return has_version and not _is_for(task.expression, region, task)


def _is_for(words: str, region: Mapping[str, Any], task: Task) -> bool:
    name, meta = offer_id(str(region.get("id", ""))), region.get("meta")
    version = meta.get("version") if isinstance(meta, Mapping) else None
    rank = name.rpartition("-")[2]
    return rank.isdecimal() and name == region_id(task.project, task.task_id, words, str(version), int(rank))


def chosen_in(result: Sequence[Any], controls: Controls) -> set[str]:
    """The values of the choices that our Choices tags were given."""
    names = {tag.from_name for tag in (controls.no_referent, controls.pick, controls.keep) if tag}
    values: set[str] = set()
    for region in result:
        if isinstance(region, dict) and region.get("type") == "choices" and region.get("from_name") in names:
            value = region.get("value")
            made = value.get("choices") if isinstance(value, Mapping) else None
            values.update(str(choice) for choice in made or () if isinstance(made, list))
    return values


def _label(region: Any, controls: Controls) -> str | None:
    """The label of a mask region; None when it is none, "" when it has no label."""
    if not isinstance(region, dict) or kind_of(region) not in READERS:
        return None
    value = region.get("value")
    labels = value.get(kind_of(region)) if isinstance(value, Mapping) else None
    return str(labels[0]) if isinstance(labels, list) and labels else ""


def _is_untouched_offer(region: Mapping[str, Any]) -> bool:
    name = str(region.get("id", ""))
    # A mask that came of the annotator's click is the annotator's, although the origin says otherwise.
    return name.startswith(OURS) and FIXED not in name and region.get("origin") == UNTOUCHED
