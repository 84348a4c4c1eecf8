"""Tell an annotator that a click, a box or words gave no mask, and take the click away.

Label Studio 1.23.2 shows nothing of an empty or failed interactive answer, and leaves the click in the draft.
What it does apply at once are choices. So a label config may have two choices that show a sentence
(`pick_brush_smart.xml`), and our answer makes one of them.

There is no message that removes a region. But a suggestion on a text replaces the region of the same id at
once, and a suggested choice replaces the first region or choice that has its tag and its object. So a click
becomes a region of a text, and then a choice in a tag that the editor never saves. At the next answer the
editor itself deletes all but the last of several choices in one tag. Two more choices, on two other texts,
come after the choice of a click: so that of an earlier click is gone when the next one looks for its own.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from ris.labelstudio.config.control import Controls

_TEXTS = ("notice_1", "notice_2", "notice_3")  # `Text` tags, each with a control tag on it
_REMOVED = "removed"  # a Choices tag whose choices are never saved: perRegion, for a label that is not there
_SHOWN = {"choices": ["shown"]}


class Notice(StrEnum):
    """What can be shown: each is a Choices tag with the choice "shown"."""

    NOTHING_FOUND = "nothing_found"
    NO_ANSWER = "no_answer"


def can_show_notices(controls: Controls) -> bool:
    """Tell whether a label config has the tags that show notices."""
    return {*_TEXTS, _REMOVED, *Notice} <= set(controls.names)


def write_notice(notice: Notice, context: Mapping[str, Any], controls: Controls) -> list[dict[str, Any]]:
    """Write the regions that show a notice and remove what was drawn; [] if the label config cannot show it.

    Args:
        notice: what to show.
        context: `params.context` of the interactive request.
        controls: the label config's tags.
    """
    if not can_show_notices(controls):
        return []
    result = context.get("result")
    drawn = [one for one in result if isinstance(one, dict)] if isinstance(result, list) else []
    ids = [str(one["id"]) for one in drawn if one.get("id") and one.get("type") != "textarea"]
    return [
        *(choice for region_id in ids for choice in _replace_region(region_id)),
        *(_write_removed(f"ris-{text}", text, _SHOWN) for text in _TEXTS[1:]),
        *_write_notices(notice),
    ]


def clear_notices(controls: Controls) -> list[dict[str, Any]]:
    """Write the regions that hide all notices; [] if the label config cannot show any."""
    return _write_notices(None) if can_show_notices(controls) else []


def _replace_region(region_id: str) -> Sequence[dict[str, Any]]:
    """Replace a region by a region of a text, and this by a choice."""
    characters = {"start": 0, "end": 1}
    return (
        _write_removed(region_id, _TEXTS[0], characters | _SHOWN),
        _write_removed(f"{region_id}-removed", _TEXTS[0], _SHOWN),
    )


def _write_removed(region_id: str, text: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": region_id, "from_name": _REMOVED, "to_name": text, "type": "choices", "value": {**value}}


def _write_notices(shown: Notice | None) -> list[dict[str, Any]]:
    return [
        {
            "id": f"ris-{notice}",
            "from_name": str(notice),
            "to_name": text,
            "type": "choices",
            "value": {"choices": ["shown"] if notice is shown else []},
        }
        for notice, text in zip(Notice, _TEXTS, strict=False)
    ]
