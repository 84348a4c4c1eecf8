"""The dialects: how each family of models is asked where something is, and how its answer is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ris.core.types import Box, Size
from ris.errors import GroundingError
from ris.referring.grounding.json_things import read_json_things
from ris.referring.grounding.markup import (
    read_box_tags,
    read_coords_tags,
    read_detection_codes,
    read_location_codes,
    read_point_tags,
)
from ris.referring.grounding.reading import Point, Reading, is_far_outside
from ris.referring.grounding.things import GroundedThing, Grounding, WrittenAnswer, WrittenThing

Syntax = Callable[[str], WrittenAnswer]
SYNTAXES: dict[str, Syntax] = {
    "json": read_json_things,
    "box tags": read_box_tags,
    "point tags": read_point_tags,
    "coords tags": read_coords_tags,
    "detection codes": read_detection_codes,
    "location codes": read_location_codes,
}

MAX_ANSWER_CHARACTERS = 50_000
MAX_THINGS = 100
_ASK_JSON = (
    'Locate every object that matches the description "{e}" in the image. '
    "Report bbox coordinates in JSON format."
)
_THINKING_END = re.compile(r"</think(?:ing)?>")
_THINKING_START = re.compile(r"<think(?:ing)?>")
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL)
_NONE = re.compile(
    r"\bthere (?:is|are|was|were) (?:no (?!doubt|need|question)|none\b|not\b)|\bno (?:such|matching)\b"
    r"|\bnone (?:of|found|match)|\bnot (?:find|found|present|visible|see|seen|exist|contain|in the image)\b"
    r"|n't (?:find|see|exist|contain|appear|any)\b|\bunable to (?:find|locate)\b|\bno objects?\b",
    re.IGNORECASE,
)
_NONE_ALONE = frozenset({"none", "null", "no", "nothing", "n/a"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of models is asked and read.

    Attributes:
        name: for people and for the finding of the probe.
        prompt: the question, with {e} for the expression.
        syntaxes: tried in this order; the first that finds something counts.
        reading: the frame of the coordinates.
        keys: the names of boxes whose order of numbers is the reading's; () accepts every name.
        schema_key: the name of boxes in the JSON schema that the answer is held to, where the server can;
            "" for answers that are no JSON, and for models that think first.
    """

    name: str
    prompt: str
    syntaxes: tuple[Syntax, ...]
    reading: Reading
    keys: tuple[str, ...] = ()
    schema_key: str = ""

    def make_prompt(self, expression: str) -> str:
        """Write the question for an expression."""
        return self.prompt.replace("{e}", expression.replace('"', "'"))

    def make_schema(self) -> dict[str, Any] | None:
        """Make the JSON schema of an answer, a list of things with a box; None where there is none."""
        if not self.schema_key:
            return None
        box = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
        properties = {self.schema_key: box, "label": {"type": "string"}}
        thing = {"type": "object", "properties": properties, "required": [self.schema_key]}
        return {"type": "array", "items": thing}


_QWEN_KEYS = ("bbox_2d", "bbox", "point_2d", "<box>", "")
DIALECTS = {
    one.name: one
    for one in (
        Dialect(
            "qwen2.5-vl",
            _ASK_JSON,
            (read_json_things,),
            Reading("resized"),
            ("bbox_2d", "bbox", "point_2d", ""),
            schema_key="bbox_2d",
        ),
        Dialect(
            "qwen3-vl",
            _ASK_JSON,
            (read_json_things, read_box_tags),
            Reading(),
            _QWEN_KEYS,
            schema_key="bbox_2d",
        ),
        Dialect(
            "box-tags",
            "Please provide the bounding box coordinates of the region this sentence describes: "
            "<ref>{e}</ref>",
            (read_box_tags, read_json_things),
            Reading(),
            _QWEN_KEYS,
        ),
        Dialect(
            "visionreasoner",
            'Please find "{e}" with bboxs and points. Think first in <think> </think>, then write '
            '<answer>[{"bbox_2d": [10,100,200,210], "point_2d": [30,110]}]</answer>',
            (read_json_things,),
            Reading(extent=840.0),
            ("bbox_2d", "bbox", "point_2d", "point", ""),
        ),
        Dialect("molmo", "Point to {e}", (read_point_tags,), Reading(extent=100.0)),
        Dialect("molmo-2", "Point to {e}", (read_coords_tags,), Reading()),
        Dialect(
            "florence-2",
            "<REFERRING_EXPRESSION_SEGMENTATION>{e}",
            (read_location_codes,),
            Reading(offset=0.5),
        ),
        Dialect(
            "paligemma",
            "detect {e}",
            (read_detection_codes,),
            Reading(extent=1024.0, is_row_first=True),
        ),
        Dialect(
            "gemini",
            "Detect {e}. Output a JSON list where each entry has the 2D bounding box in \"box_2d\" as "
            '[y1, x1, y2, x2], 0 to 1000, and a "label".',
            (read_json_things,),
            Reading(is_row_first=True),
            ("box_2d", "point", ""),
            schema_key="box_2d",
        ),
        Dialect(
            "plain-json",
            'Find "{e}" in the image. Answer with a JSON list of objects with "bbox": [x1, y1, x2, y2] in '
            "pixels of the image; the list is empty if there is none.",
            (read_json_things,),
            Reading("sent"),
            ("bbox", "box", "bounding_box", "bboxes", "boxes", "point", "points", ""),
            schema_key="bbox",
        ),
    )
}  # fmt: skip


def read_grounding(text: str, dialect: Dialect, *, sent: Size, displayed: Size) -> Grounding:
    """Read where a model says that something is.

    Args:
        text: its answer.
        dialect: of its family, or as a probe found it.
        sent: (height, width) of the picture as sent, in pixels.
        displayed: (height, width) of the image as displayed, in pixels.

    Returns:
        The things in pixels of the image as displayed. None of them: the model says that there is no such
        thing.

    Raises:
        GroundingError: the answer cannot be read; the message says why, and quotes nothing of it.
    """
    if min(*sent, *displayed) < 1:
        raise GroundingError(f"a picture of {sent} for an image of {displayed} pixels has no frame")
    written = write_out(text, dialect.syntaxes)
    if not written.things:
        return Grounding(())
    _check_keys(written, dialect)
    notes: dict[str, None] = {}
    things = [_place_thing(thing, dialect.reading, sent, displayed, notes) for thing in written.things]
    kept = tuple(dict.fromkeys(t for t in things if t.box or t.points or t.polygons))
    if not kept:
        reasons = "; ".join(notes) or "it holds no box"
        raise GroundingError(f"the answer gives no place in the image: {reasons}")
    if len(kept) > MAX_THINGS:
        notes[f"the answer has {len(kept)} things; the first {MAX_THINGS} are used"] = None
    if written.is_cut:
        notes["the answer is cut off; what was complete is used"] = None
    return Grounding(kept[:MAX_THINGS], tuple(notes))


def write_out(text: str, syntaxes: tuple[Syntax, ...]) -> WrittenAnswer:
    """Find the things of an answer as they are written, without a frame.

    Raises:
        GroundingError: the answer holds no coordinates, and does not say that there is no such thing.
    """
    if len(text) > MAX_ANSWER_CHARACTERS:
        raise GroundingError(f"the answer has {len(text)} characters, more than {MAX_ANSWER_CHARACTERS}")
    content = drop_thinking(text)
    answers = [syntax(content) for syntax in syntaxes]
    for answer in answers:
        if answer.things:
            return answer
    if any(answer.is_cut for answer in answers):
        raise GroundingError("the answer is cut off before its first box is complete")
    if any(answer.says_none for answer in answers) or says_none(content):
        return WrittenAnswer((), says_none=True)
    raise GroundingError(
        "the answer is empty" if not content.strip() else "the answer holds no coordinates that can be read"
    )


def drop_thinking(text: str) -> str:
    """Return the answer alone: boxes in a model's thoughts are not its answer."""
    rest = _THINKING_END.split(text)[-1]  # some servers leave out the start
    if _THINKING_START.search(rest):
        raise GroundingError("the answer is cut off in the model's thoughts; allow longer answers")
    if answers := _ANSWER.findall(rest):
        return str(answers[-1])
    return rest


def says_none(text: str) -> bool:
    """Whether an answer says in words that there is no such thing."""
    return text.strip().strip(".!`\"'").lower() in _NONE_ALONE or _NONE.search(text) is not None


def _check_keys(written: WrittenAnswer, dialect: Dialect) -> None:
    for thing in written.things:
        if dialect.keys and (thing.box or thing.points) and thing.key not in dialect.keys:
            names = ", ".join(repr(key) for key in dialect.keys if key)
            raise GroundingError(
                f"the answer names a place {thing.key[:40]!r}, but {dialect.name} names it {names}: the "
                "order of its numbers is not known; run `ris models probe`"
            )


def _place_thing(
    thing: WrittenThing, reading: Reading, sent: Size, displayed: Size, notes: dict[str, None]
) -> GroundedThing:
    named = Reading(reading.frame, reading.extent, False, reading.offset, reading.gain, reading.shift)
    corners = [*reading.to_shares(thing.box, sent), *named.to_shares(thing.named_box, sent)]
    points = [*reading.to_shares(thing.points, sent), *named.to_shares(thing.named_points, sent)]
    height, width = displayed
    inside = [(x * width, y * height) for x, y in points if not is_far_outside((x, y))]
    if len(inside) < len(points):
        notes["a point lies outside of the image"] = None
    polygons = []
    for numbers in thing.polygons:
        outline = [_clip(point, notes) for point in reading.to_shares(numbers, sent)]
        polygons.append(tuple((x * width, y * height) for x, y in outline))
    return GroundedThing(
        box=_place_box(corners, displayed, notes) if corners else None,
        points=tuple((min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))) for x, y in inside),
        polygons=tuple(polygons),
        label=thing.label,
    )


def _place_box(corners: list[Point], displayed: Size, notes: dict[str, None]) -> Box | None:
    """Order and clip a box; None if nothing of it lies inside of the image."""
    height, width = displayed
    (x1, x2), (y1, y2) = (sorted(values) for values in zip(*corners, strict=True))
    if [(x1, y1), (x2, y2)] != corners:
        notes["the corners of a box were swapped"] = None
    if x1 >= x2 or y1 >= y2:
        notes["a box has no area"] = None
        return None
    if x1 >= 1 or y1 >= 1 or x2 <= 0 or y2 <= 0:
        notes["a box lies outside of the image"] = None
        return None
    (x1, y1), (x2, y2) = _clip((x1, y1), notes), _clip((x2, y2), notes)
    return x1 * width, y1 * height, x2 * width, y2 * height


def _clip(point: Point, notes: dict[str, None]) -> Point:
    if is_far_outside(point):
        notes["coordinates beyond the image's edge were clipped"] = None
    x, y = (min(max(value, 0.0), 1.0) for value in point)
    return x, y
