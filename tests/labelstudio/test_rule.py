"""The rule about what an answer means, against a second implementation that shares no code with it.

The second reading is slow and plain: masks are sets of pixels, shapes are asked pixel by pixel, and the words
of each label config are written out by hand. Both read 20,000 made-up annotations: regions of all of Label
Studio's kinds, choices, flags and orders.
"""

import base64
import io
import random
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pytest
from label_studio_sdk.converter.brush import encode_rle
from PIL import Image as Pillow

from ris.core import rle
from ris.label_config import read
from ris.labelstudio.event import read_event

EXAMPLES, SEEDS = 5000, range(4)
HEIGHT, WIDTH = 6, 8
FAILED = "failed"


@dataclass(frozen=True)
class Words:
    """A label config, with the texts of its choices and labels and their meanings, written by hand."""

    config: str
    ranks: dict = field(default_factory=dict)  # choice -> label
    own: tuple = ()
    none: tuple = ()
    neutral: tuple = ()
    tag: str = "pick"
    labels: dict = field(default_factory=dict)  # every form of a label -> how it is written
    prompt_tools: tuple = ()


RANKS = ("1st", "2nd", "3rd")
PICK = Words(
    read("pick_brush.xml"), {r: r for r in RANKS}, ("drawn by me",), ("object not in image",),
    labels={r: r for r in RANKS},
)  # fmt: skip
ALIASED = Words(
    read("pick_brush.xml")
    .replace('<Choice value="1st"', '<Choice value="1st" alias="best"')
    .replace('<Label value="1st"', '<Label value="1st" alias="one"')
    .replace('<Choice value="object not in image"', '<Choice value="object not in image" alias="absent"'),
    {"best": "one", "1st": "one", "2nd": "2nd", "3rd": "3rd"}, ("drawn by me",),
    ("absent", "object not in image"),
    labels={"1st": "one", "one": "one", "2nd": "2nd", "3rd": "3rd"},
)  # fmt: skip
TABS = Words(
    read("tabs_brush.xml"), none=("object not in image",), tag="referent", labels={"Referent": "Referent"}
)  # fmt: skip
SMART = Words(
    read("pick_brush_smart.xml"), {r: r for r in RANKS}, ("drawn by me",), ("object not in image",),
    labels={r: r for r in (*RANKS, "drawn by me")}, prompt_tools=("click", "box"),
)  # fmt: skip
CONFIGS = {"pick": PICK, "aliased": ALIASED, "tabs": TABS, "smart": SMART}

READABLE = ("brushlabels", "rectanglelabels", "polygonlabels", "ellipselabels", "bitmasklabels")
UNREADABLE = ("vectorlabels", "magicwand", "videorectangle", "cuboid")
BESIDE = ("textarea", "rating", "relation", "taxonomy", "number", "datetime", "pairwise", "ranker")


# generated annotations


def make_annotation(rng, words):
    """Regions, choices and flags: most as the editor writes them, some as only an API client would."""
    entries = [make_region(rng, words, place) for place in range(rng.choice([0, 0, 1, 1, 2, 3, 4]))]
    if rng.random() < 0.6:
        entries += make_choices(rng, words)
    if rng.random() < 0.2:
        entries.append({"id": "n", "type": rng.choice(BESIDE), "to_name": "image", "value": {"text": ["x"]}})
    if rng.random() < 0.02:
        entries.append(rng.choice([None, 3, "x", {}, {"type": 4}, []]))
    rng.shuffle(entries)
    return {
        "id": 1, "updated_at": "2026-01-02T00:00:00Z", "result": entries,
        "was_cancelled": rng.random() < 0.05,
    }  # fmt: skip


def make_choices(rng, words):
    known = [*words.ranks, *words.own, *words.none, *words.neutral]
    made = rng.sample(known, rng.choice([1, 1, 1, 1, min(2, len(known))]))
    if rng.random() < 0.1:
        made = rng.choice([[], ["unknown"], ["not there"], ["myself"], ["2nd"], ["1st"], [3], "2nd", None])
    name = words.tag if rng.random() < 0.95 else rng.choice(["gone", "mask"])
    return [{"id": "c", "type": "choices", "from_name": name, "to_name": "image", "value": {"choices": made}}]


def make_region(rng, words, place):
    kind = rng.choice([*READABLE, *READABLE, *READABLE, "keypointlabels", rng.choice(UNREADABLE)])
    from_name = rng.choice(["mask", "mask", "mask", "mask", "other", *words.prompt_tools])
    is_offer = rng.random() < 0.5
    labels = (
        rng.choice([[label] for label in words.labels]) if rng.random() < 0.95 else rng.choice([[], ["old"]])
    )
    region = {
        "id": f"risabc{place}-{place}" if is_offer else f"r{place}",
        "type": kind, "from_name": from_name, "to_name": "image",
        "origin": rng.choice(["prediction", "prediction-changed", "manual"]) if is_offer else "manual",
        "original_height": HEIGHT, "original_width": WIDTH, "image_rotation": 0,
        "value": {**make_shape(rng, kind), kind: labels},
    }  # fmt: skip
    odd = rng.random()
    if odd < 0.03:
        region |= rng.choice([
            {"original_height": 1, "original_width": 1}, {"original_height": WIDTH, "original_width": HEIGHT},
            {"original_height": float(HEIGHT), "original_width": float(WIDTH)},
            {"original_height": None, "original_width": None}, {"original_height": "6"},
        ])  # fmt: skip
    elif odd < 0.04:
        region["image_rotation"] = 90
    elif odd < 0.05:
        region["to_name"] = rng.choice(["elsewhere", None])
    elif odd < 0.06:
        region["value"] = rng.choice([None, {}, {"x": "a"}])
    return region


def make_shape(rng, kind):
    """Edges are on the borders of pixels, so that every correct reading of a shape has the same pixels."""
    x1, y1 = rng.randrange(-2, WIDTH), rng.randrange(-2, HEIGHT)
    x2, y2 = x1 + rng.choice([0, 1, 2, 3, 5]), y1 + rng.choice([0, 1, 2, 3])
    pixels = {(x, y) for x in range(x1, x2) for y in range(y1, y2)}
    if kind in ("brushlabels", "bitmasklabels"):
        return paint(pixels, kind, rng.choice([255, 255, 255, 100, 1]))
    if kind == "polygonlabels":
        corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
        points = [[100 * x / WIDTH, 100 * y / HEIGHT] for x, y in corners]
        return {"points": points, "closed": rng.random() < 0.95}
    box = {"x": 100 * x1 / WIDTH, "y": 100 * y1 / HEIGHT}
    extent = {"width": 100 * (x2 - x1) / WIDTH, "height": 100 * (y2 - y1) / HEIGHT}
    if kind == "ellipselabels":  # within one pixel: its centre and nothing else, or nothing
        radii = {"radiusX": rng.choice([40, 40, -40]) / WIDTH, "radiusY": 40 / HEIGHT}
        return {"x": box["x"] + 50 / WIDTH, "y": box["y"] + 50 / HEIGHT, **radii, "rotation": 0}
    if rng.random() < 0.03:
        extent["width"] = -extent["width"]
    if rng.random() < 0.2:  # the same box, turned about its corner at the top right
        return {"x": 100 * x2 / WIDTH, "y": box["y"], "width": 100 * (y2 - y1) / WIDTH,
                "height": 100 * (x2 - x1) / HEIGHT, "rotation": 90}  # fmt: skip
    return {**box, **extent, "rotation": 0}


def paint(pixels, kind, alpha):
    planes = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for x, y in pixels:
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            planes[y, x] = alpha
    if kind == "brushlabels":
        return {"format": "rle", "rle": [int(byte) for byte in encode_rle(planes.ravel())]}
    file = io.BytesIO()
    Pillow.fromarray(planes, "RGBA").save(file, "PNG")
    return {"imageDataURL": "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()}


# the second implementation


class NotCovered(Exception):
    """The rule does not cover this answer."""


def read_slowly(annotation, words):
    """ "skipped", "no referent", "failed", or the set of pixels that is meant."""
    if annotation["was_cancelled"]:
        return "skipped"
    try:
        return mean(annotation["result"], words)
    except NotCovered:
        return FAILED


def require(holds):
    if not holds:
        raise NotCovered


def mean(result, words):
    require(all(isinstance(entry, dict) and isinstance(entry.get("type"), str) for entry in result))
    on_image = [e for e in result if e["type"] not in (*BESIDE, "choices")]
    require(all(e["to_name"] in ("image", None) for e in on_image))
    regions = [e for e in on_image if e["from_name"] not in words.prompt_tools]
    under = [labels_of(region, words) for region in regions]
    all_labels = {label for labels in under for label in labels}
    ranks, own, none = listen(result, words, all_labels)
    if none:
        require(not ranks and not own)
        return "no referent"
    if ranks or own:
        require(all(any(rank in labels for labels in under) for rank in ranks))
        mine = [not is_untouched(region) for region in regions]
        if own:
            require(any(m and r["type"] != "keypointlabels" for m, r in zip(mine, regions, strict=True)))
        chosen = [
            region
            for region, labels, is_mine in zip(regions, under, mine, strict=True)
            if labels & set(ranks) or (own and is_mine)
        ]
        return pixels_of(chosen)
    require(regions or not on_image)
    if not regions:
        return "no referent"
    if words.ranks:
        require(
            len(
                {frozenset(ls) for r, ls in zip(regions, under, strict=True) if r["type"] != "keypointlabels"}
            )
            < 2
        )
    return pixels_of(regions)


def listen(result, words, labels):
    ranks, own, none = [], False, False
    for entry in result:
        if entry["type"] != "choices":
            continue
        made = entry["value"]["choices"]
        require(isinstance(made, list) and all(isinstance(word, str) for word in made))
        for word in made:
            if entry["from_name"] != words.tag:
                require(entry["from_name"] != "gone")
                require(not (len(labels) > 1 and words.labels.get(word, word) in labels))
            elif word in words.ranks:
                ranks.append(words.ranks[word])
            elif word in words.own:
                own = True
            elif word in words.none or word == "not there":
                require(word in words.none or not words.ranks or words.labels.get(word, word) not in labels)
                require(bool(words.ranks) or word in words.none or len(labels) < 2 or word not in labels)
                none = True
            elif words.ranks and words.labels.get(word, word) in labels:
                ranks.append(words.labels.get(word, word))
            else:
                require(words.ranks and word == "myself" and labels)
                own = True
    return ranks, own, none


def labels_of(region, words):
    given = (region["value"] or {}).get(region["type"]) or []
    return {words.labels.get(label, label) for label in given}


def is_untouched(region):
    return region["id"].startswith("ris") and region["origin"] != "prediction-changed"


def pixels_of(regions):
    shapes = [region for region in regions if region["type"] != "keypointlabels"]
    require(shapes)
    found = set()
    for region in shapes:
        require(region["type"] in READABLE and isinstance(region["value"], dict))
        size = region["original_height"], region["original_width"]
        require(
            size == (None, None) or (all(not isinstance(n, str) for n in size) and size == (HEIGHT, WIDTH))
        )
        require(not region["image_rotation"])
        found |= {(x, y) for x in range(WIDTH) for y in range(HEIGHT) if covers(region, x, y)}
    require(found)
    return found


def covers(region, x, y):
    """Whether a region holds the centre of a pixel."""
    kind, value = region["type"], region["value"]
    try:
        if kind == "brushlabels":
            return alphas_of(tuple(value["rle"]))[y][x]
        if kind == "bitmasklabels":
            return opaque(value["imageDataURL"])[y][x]
        if kind == "polygonlabels":
            require(value["closed"])
            xs, ys = zip(*value["points"], strict=True)
            return min(xs) < 100 * (x + 0.5) / WIDTH < max(xs) and min(ys) < 100 * (y + 0.5) / HEIGHT < max(
                ys
            )
        if kind == "ellipselabels":
            require(value["radiusX"] >= 0)
            return (int(value["x"] * WIDTH // 100), int(value["y"] * HEIGHT // 100)) == (x, y)
        left, top = value["x"] * WIDTH / 100, value["y"] * HEIGHT / 100
        wide, high = value["width"] * WIDTH / 100, value["height"] * HEIGHT / 100
        require(wide >= 0)
        if value["rotation"] == 90:
            left, wide, high = left - high, high, wide
        return left < x + 0.5 < left + wide and top < y + 0.5 < top + high
    except (KeyError, TypeError) as error:
        raise NotCovered from error


@lru_cache(maxsize=8)
def alphas_of(stream):
    """Decode bit by bit, as the format is specified."""
    bits = "".join(f"{byte:08b}" for byte in stream)
    place = 0

    def take(n):
        nonlocal place
        place += n
        return int(bits[place - n : place], 2)

    total, word = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(4)]
    values = []
    while len(values) < total:
        repeats, size = take(1), sizes[take(2)]
        length = take(size) + 1
        values += [take(word)] * length if repeats else [take(word) for _ in range(length)]
    return half(values[3::4])


@lru_cache(maxsize=8)
def opaque(uri):
    picture = Pillow.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).getchannel("A")
    return half(np.asarray(picture).ravel().tolist())


def half(alphas):
    inside = [2 * alpha > max(alphas) for alpha in alphas]
    return [inside[row * WIDTH : (row + 1) * WIDTH] for row in range(HEIGHT)]


# both


def read_fast(annotation, words):
    event = read_event(
        {
            "action": "ANNOTATION_CREATED",
            "annotation": annotation,
            "task": {"id": 7, "data": {"image": "/a.png", "expression": "the mug"}},
            "project": {"id": 1, "created_at": "2026-01-01T00:00:00Z", "label_config": words.config},
        },
        lambda task: (HEIGHT, WIDTH),
    )
    if event.failures:
        assert event.failures[0].sentence.startswith("annotation 1: ")
        assert event.failures[0].cause != "other"
        return FAILED
    (answer,) = event.annotations
    if answer.cancelled:
        return "skipped"
    if answer.mask is None:
        return "no referent"
    rows, columns = np.nonzero(rle.decode_rle(answer.mask))
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_both_readings_of_the_rule_agree_on_every_annotation(seed):
    rng = random.Random(seed)
    seen = {}
    for number in range(EXAMPLES):
        name = rng.choice(list(CONFIGS))
        annotation = make_annotation(rng, CONFIGS[name])

        fast, slow = read_fast(annotation, CONFIGS[name]), read_slowly(annotation, CONFIGS[name])

        assert fast == slow, f"example {number} of seed {seed}, {name}: {annotation}"
        kind = fast if isinstance(fast, str) else "mask"
        seen[kind] = seen.get(kind, 0) + 1
    # All outcomes are tried often.
    assert min(seen[kind] for kind in ("mask", "no referent", "skipped", FAILED)) > EXAMPLES / 50


def test_the_fuzz_is_as_long_as_it_is_said_to_be():
    assert EXAMPLES * len(SEEDS) == 20_000
