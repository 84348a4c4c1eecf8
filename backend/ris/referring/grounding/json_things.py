"""Read the boxes and points of JSON, with the key names of all families."""

import math
import re
from collections.abc import Iterator, Sequence

from ris.referring.grounding.json_scan import Container, Scalar, scan_containers
from ris.referring.grounding.things import WrittenAnswer, WrittenThing

_BOX_KEYS = frozenset(
    {"bbox2d", "box2d", "bbox", "box", "boundingbox", "bboxes", "boxes", "boundingboxes", "rect", "bndbox"}
)
_POINT_KEYS = frozenset({"point2d", "point", "points", "points2d", "pointcoord", "center", "centre"})
_POLYGON_KEYS = frozenset({"polygon", "polygons", "segmentation", "contour"})
_LABEL_KEYS = ("label", "name", "description", "text")
_CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
)
_EXTENTS = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NUMBERS_ONLY = re.compile(r"[\s\d.,;()\[\]+\-eE]{1,200}")
_NONE_WORDS = frozenset({"none", "null", "false", "", "nothing"})


def read_json_things(text: str) -> WrittenAnswer:
    """Read all boxes, points and polygons of the JSON in a text; only what was written to its end."""
    containers = scan_containers(text)
    things: list[WrittenThing] = []
    used: set[int] = set()
    says_none = False
    for container in containers:
        if id(container) in used or not container.is_object:
            continue
        found, is_none = _read_object(container, used)
        things += found
        says_none = says_none or is_none
    if not things:
        things = list(_read_bare_lists(containers, used))
    is_cut = any(not container.is_closed for container in containers)
    empty = any(container.is_closed and not container.pairs for container in containers)
    return WrittenAnswer(tuple(things), not things and not is_cut and (says_none or empty), is_cut)


def _read_object(container: Container, used: set[int]) -> tuple[list[WrittenThing], bool]:
    """Read one object. A key may occur twice, so that each value makes a thing of its own."""
    boxes: list[WrittenThing] = []
    points: list[WrittenThing] = []
    polygons: list[tuple[float, ...]] = []
    label, is_none = "", False
    for key, value in container.pairs:
        plain = _simplify(key)
        if plain in _BOX_KEYS:
            read = list(_read_boxes(value, key, used))
            boxes += read
            is_none = is_none or _is_empty(value)
        elif plain in _POINT_KEYS:
            points += _read_points(value, key, used)
        elif plain in _POLYGON_KEYS:
            polygons += _read_polygons(value, used)
        elif plain in _LABEL_KEYS and isinstance(value, str):
            label = label or value
        elif plain in ("found", "exists", "present") and value == "false":
            is_none = True
    if not boxes and not points and container.is_closed:
        boxes += _read_named(container)
    return _join_things(boxes, points, polygons, label), is_none


def _join_things(
    boxes: list[WrittenThing],
    points: list[WrittenThing],
    polygons: list[tuple[float, ...]],
    label: str,
) -> list[WrittenThing]:
    """Join what stands in one object: with one box everything belongs to it."""
    if len(boxes) > 1:
        return [
            *(_add_label(box, label) for box in boxes),
            *([_merge_points(points, label)] if points else []),
            *(WrittenThing(polygons=(p,), label=label) for p in polygons),
        ]
    if not boxes and not points and not polygons:
        return []
    box = boxes[0] if boxes else WrittenThing()
    merged = _merge_points(points, label)
    return [
        WrittenThing(
            box=box.box,
            named_box=box.named_box,
            points=box.points + merged.points,
            named_points=box.named_points + merged.named_points,
            polygons=tuple(polygons),
            label=label,
            key=box.key or merged.key,
        )
    ]


def _merge_points(points: list[WrittenThing], label: str) -> WrittenThing:
    return WrittenThing(
        points=tuple(n for one in points for n in one.points),
        named_points=tuple(n for one in points for n in one.named_points),
        label=label,
        key=points[0].key if points else "",
    )


def _add_label(thing: WrittenThing, label: str) -> WrittenThing:
    return WrittenThing(box=thing.box, named_box=thing.named_box, label=label, key=thing.key)


def _read_boxes(value: "Scalar | Container", key: str, used: set[int]) -> Iterator[WrittenThing]:
    if isinstance(value, Container) and value.is_object:
        used.add(id(value))
        if value.is_closed:
            yield from (WrittenThing(named_box=one.named_box, key=key) for one in _read_named(value))
        return
    numbers = _read_numbers(value)
    if numbers:
        _use_all(value, used)
        if len(numbers) % 4 == 0:
            for start in range(0, len(numbers), 4):
                yield WrittenThing(box=numbers[start : start + 4], key=key)
        return
    if isinstance(value, Container):  # a list of lists, of strings, or of objects
        used.add(id(value))
        parts = [_read_numbers(part) for part in value.values]
        if len(parts) == 2 and all(len(part) == 2 for part in parts) and value.is_closed:  # two corners
            _use_all(value, used)
            yield WrittenThing(box=parts[0] + parts[1], key=key)
            return
        for part in value.values:
            if isinstance(part, Container | str):
                yield from _read_boxes(part, key, used) if _is_flat(part) else ()


def _read_points(value: "Scalar | Container", key: str, used: set[int]) -> Iterator[WrittenThing]:
    if isinstance(value, Container) and value.is_object:
        used.add(id(value))
        if value.is_closed:
            yield from (WrittenThing(named_points=one.named_points, key=key) for one in _read_named(value))
        return
    numbers = _read_numbers(value)
    if numbers:
        _use_all(value, used)
        if len(numbers) % 2 == 0:
            yield WrittenThing(points=numbers, key=key)
        return
    if isinstance(value, Container):
        used.add(id(value))
        for part in value.values:
            if isinstance(part, Container | str) and _is_flat(part):
                yield from _read_points(part, key, used)


def _read_polygons(value: "Scalar | Container", used: set[int]) -> Iterator[tuple[float, ...]]:
    if not isinstance(value, Container) or value.is_object:
        return
    used.add(id(value))
    flat = _read_numbers(value)
    parts = [flat] if flat else [_read_numbers(part) for part in value.values]
    if value.is_closed and len(parts) > 2 and all(len(part) == 2 for part in parts):  # a list of points
        parts = [tuple(number for part in parts for number in part)]
    _use_all(value, used)
    for numbers in parts:
        if len(numbers) >= 6 and len(numbers) % 2 == 0:
            yield numbers


def _read_bare_lists(containers: Sequence[Container], used: set[int]) -> Iterator[WrittenThing]:
    """Read the lists of four numbers that stand under no known key."""
    keys = {id(value): key for one in containers for key, value in one.pairs if isinstance(value, Container)}
    for container in containers:
        if not container.is_object and id(container) not in used:
            numbers = _read_numbers(container)
            if len(numbers) == 4:
                yield WrittenThing(box=numbers, key=keys.get(id(container), ""))


def _read_named(container: Container) -> Iterator[WrittenThing]:
    values: dict[str, float] = {}
    for key, value in container.pairs:
        numbers = _read_numbers(value) if not isinstance(value, Container) else ()
        if len(numbers) == 1:
            values.setdefault(_simplify(key), numbers[0])
    for names in _CORNERS:
        if all(name in values for name in names):
            yield WrittenThing(named_box=tuple(values[name] for name in names))
            return
    for names in _EXTENTS:
        if all(name in values for name in names):
            x, y, width, height = (values[name] for name in names)
            yield WrittenThing(named_box=(x, y, x + width, y + height))
            return
    if "x" in values and "y" in values:
        yield WrittenThing(named_points=(values["x"], values["y"]))


def _read_numbers(value: "Scalar | Container") -> tuple[float, ...]:
    """Read a number, a string of numbers, or a closed list of numbers; () for anything else."""
    if isinstance(value, float):
        return (value,) if math.isfinite(value) else ()
    if isinstance(value, str):
        if not _NUMBERS_ONLY.fullmatch(value):
            return ()
        found = tuple(float(number) for number in _NUMBER.findall(value))
        return found if all(math.isfinite(number) for number in found) else ()
    if value.is_object or not value.is_closed:
        return ()
    numbers = []
    for part in value.values:
        read = () if isinstance(part, Container) else _read_numbers(part)
        if len(read) != 1:
            return read if len(value.pairs) == 1 else ()  # ["10, 20, 30, 40"]
        numbers.append(read[0])
    return tuple(numbers)


def _is_flat(value: "Container | str") -> bool:
    return isinstance(value, str) or not any(isinstance(part, Container) for part in value.values)


def _is_empty(value: "Scalar | Container") -> bool:
    if isinstance(value, Container):
        return value.is_closed and not value.pairs
    return isinstance(value, str) and value.lower() in _NONE_WORDS


def _use_all(value: "Scalar | Container", used: set[int]) -> None:
    if isinstance(value, Container):
        used.add(id(value))
        used.update(id(part) for part in value.values if isinstance(part, Container))


def _simplify(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())
