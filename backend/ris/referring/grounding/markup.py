"""Read coordinates in tags: Qwen's and InternVL's boxes, Molmo's points, location codes."""

import re
from collections.abc import Iterator

from ris.referring.grounding.things import WrittenAnswer, WrittenThing

_BOX_TAG = re.compile(
    r"(?:(?:<ref>|<\|object_ref_start\|>)(?P<label>[^<]{0,500})(?:</ref>|<\|object_ref_end\|>)\s*)?"
    r"(?:<box>|<\|box_start\|>)(?P<box>[^<]{0,2000})(?P<end></box>|<\|box_end\|>)?"
)
_POINT_TAG = re.compile(r"<points?\b(?P<attributes>[^<>]*)>")
_OPEN_POINT_TAG = re.compile(r"<points?\b[^<>]*\Z")
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_NUMBER = re.compile(r"[-+]?(?:\d{1,12}\.?\d{0,12})")
_CODE = re.compile(r"<loc_(\d{1,4})>")
_CODE_RUN = re.compile(r"(?:<loc_\d{1,4}>\s*)+")
_PALIGEMMA = re.compile(r"(?P<codes>(?:<loc\d{4}>\s*){4})(?:<seg\d{3}>\s*)*(?P<label>[^;<]{0,500})")
_PALIGEMMA_CODE = re.compile(r"<loc(\d{4})>")


def read_box_tags(text: str) -> WrittenAnswer:
    """Read `<box>(x1,y1),(x2,y2)</box>`, `<|box_start|>...<|box_end|>` and `<box>[[x1,y1,x2,y2]]</box>`."""
    things, is_cut = [], False
    for match in _BOX_TAG.finditer(text):
        if match["end"] is None:
            is_cut = True
            continue
        numbers = _read_numbers(match["box"])
        if numbers and len(numbers) % 4 == 0:
            things += [
                WrittenThing(box=numbers[i : i + 4], label=(match["label"] or "").strip(), key="<box>")
                for i in range(0, len(numbers), 4)
            ]
        elif len(numbers) == 2:
            things.append(WrittenThing(points=numbers, label=(match["label"] or "").strip(), key="<box>"))
    return WrittenAnswer(tuple(things), is_cut=is_cut)


def read_point_tags(text: str) -> WrittenAnswer:
    """Read Molmo's `<point x="..." y="...">`, `<points x1="..." y1="..." ...>`: each point is a thing."""
    things = []
    for match in _POINT_TAG.finditer(text):
        attributes = {name: one or two for name, one, two in _ATTRIBUTE.findall(match["attributes"])}
        for name, value in attributes.items():
            if not re.fullmatch(r"x\d{0,4}", name):
                continue
            point = _read_numbers(value) + _read_numbers(attributes.get(f"y{name[1:]}", ""))
            if len(point) == 2:
                label = attributes.get("alt", "")
                things.append(WrittenThing(points=point, label=label, key="<point>"))
    return WrittenAnswer(tuple(things), is_cut=_OPEN_POINT_TAG.search(text[-5000:]) is not None)


def read_coords_tags(text: str) -> WrittenAnswer:
    """Read Molmo 2's `<points coords="image number x y ...">`: each point of the first image is a thing."""
    things = []
    for match in _POINT_TAG.finditer(text):
        attributes = {name: one or two for name, one, two in _ATTRIBUTE.findall(match["attributes"])}
        for part in re.split(r"[;\t]", attributes.get("coords", "")):
            things += [
                WrittenThing(points=point, label=attributes.get("alt", ""), key="<points coords>")
                for point in _read_coords(_read_numbers(part))
            ]
    return WrittenAnswer(tuple(things), is_cut=_OPEN_POINT_TAG.search(text[-5000:]) is not None)


def _read_coords(numbers: tuple[float, ...]) -> Iterator[tuple[float, ...]]:
    """Read "image number x y", where the image may stand once for all points, or again for each."""
    rest = numbers[1:]
    if len(rest) % 3 == 0 and rest[::3] == tuple(range(1, len(rest) // 3 + 1)):
        yield from (rest[i + 1 : i + 3] for i in range(0, len(rest), 3))
    elif len(numbers) % 4 == 0:
        yield from (numbers[i + 2 : i + 4] for i in range(0, len(numbers), 4))


def read_location_codes(text: str) -> WrittenAnswer:
    """Read Florence-2's `<loc_N>`: four make a box, six or more a polygon. `<sep>` joins parts of a thing."""
    things = []
    for piece in re.split(r"</?poly>|</?s>|<pad>", text):
        polygons: list[tuple[float, ...]] = []
        for run in _CODE_RUN.finditer(piece):
            codes = tuple(float(code) for code in _CODE.findall(run[0]))
            if len(codes) == 4:
                things.append(WrittenThing(box=codes, key="<loc_>"))
            elif len(codes) >= 6:
                polygons.append(codes[: len(codes) // 2 * 2])
        if polygons:
            things.append(WrittenThing(polygons=tuple(polygons), key="<loc_>"))
    return WrittenAnswer(tuple(things), is_cut=re.search(r"<(?:loc_?\d{0,4})?\Z", text) is not None)


def read_detection_codes(text: str) -> WrittenAnswer:
    """Read PaliGemma's `<locY1><locX1><locY2><locX2> label`; the `<segNNN>` that may follow are left out."""
    things = [
        WrittenThing(
            box=tuple(float(code) for code in _PALIGEMMA_CODE.findall(match["codes"])),
            label=match["label"].strip(),
            key="<loc>",
        )
        for match in _PALIGEMMA.finditer(text)
    ]
    n_codes = len(_PALIGEMMA_CODE.findall(text))
    return WrittenAnswer(tuple(things), is_cut=n_codes % 4 != 0)


def _read_numbers(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in _NUMBER.findall(text))
