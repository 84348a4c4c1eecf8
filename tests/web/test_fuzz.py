"""Any request gets a defined answer, never an internal error."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ris.errors import BackendError
from ris.label_config import read
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.masks import brush
from ris.labelstudio.result import MASK_READERS, read_mask

CONFIG = read("pick_brush_smart.xml")
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12)
    | st.sampled_from([CONFIG, "squares", "the red", "1.1700000000", "ANNOTATION_CREATED"])
    | st.just("2026-01-01T00:00:00Z")
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "tasks", "project", "label_config", "schema", "params", "context", "result", "data", "id", "image",
        "expression", "value", "type", "x", "y", "rle", "format", "text", "original_width", "original_height",
        "action", "annotation", "annotations", "task", "created_at", "updated_at", "was_cancelled",
        "extra_params",
    ]
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
ASKED = st.fixed_dictionaries(
    {"project": LEAVES | st.just("1.1700000000"), "label_config": st.just(CONFIG) | LEAVES},
    optional={"tasks": JSON, "params": JSON, "schema": JSON, "extra_params": JSON},
)
TOLD = st.fixed_dictionaries(
    {"action": st.sampled_from(["ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "TASKS_DELETED", "X"]) | LEAVES},
    optional={"annotation": JSON, "annotations": JSON, "task": JSON, "tasks": JSON, "project": JSON},
)
FEW = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@pytest.mark.parametrize("route", ["/setup", "/predict"])
@FEW
@given(body=ASKED | JSON)
def test_no_request_fails_inside(client, gate, route, body):
    gate.opened.set()

    answer = client.post(route, json=body)

    assert answer.status_code in (200, 400)
    assert isinstance(answer.json, dict)
    if answer.status_code == 400:
        assert answer.json["error"]


@FEW
@given(bodies=st.lists(TOLD | JSON, max_size=3))
def test_every_webhook_is_kept_or_refused_and_the_inbox_gets_through(client, recording, bodies):
    for body in bodies:
        assert client.post("/webhook", json=body).status_code in (200, 201, 400)

    while recording.process_events():
        pass


REGION = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(MASK_READERS))},
    optional={
        "value": JSON | st.fixed_dictionaries(
            {},
            optional={
                "format": st.just("rle"), "rle": st.lists(st.integers(0, 255), max_size=30), "points": JSON,
                "x": LEAVES, "y": LEAVES, "width": LEAVES, "height": LEAVES, "radiusX": LEAVES,
                "radiusY": LEAVES, "rotation": LEAVES, "imageDataURL": LEAVES,
            },
        ),
        "original_width": st.integers(-3, 40) | LEAVES,
        "original_height": st.integers(-3, 40) | LEAVES,
        "id": LEAVES,
    },
)  # fmt: skip


TABS = read_controls(read("tabs_brush.xml"))


@settings(max_examples=400, deadline=None)
@given(st.lists(REGION | JSON, max_size=3))
def test_a_region_is_read_or_refused_on_purpose(regions):
    try:
        mask, _ = read_mask(select_meant_regions(regions, TABS))
    except BackendError:
        return
    assert mask is None or mask.size[0] > 0


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=80), st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_any_bytes_are_a_brush_or_refused_on_purpose(data, size):
    with contextlib.suppress(BackendError):
        assert brush.decode_brush(list(data), size).shape == size


TAGS = st.sampled_from(
    ["View", "Image", "Text", "BrushLabels", "Choices", "Label", "Choice", "RectangleLabels"]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["name", "toName", "value", "smart", "alias"]),
    st.sampled_from(
        ["image", "$image", "$expression", "1st", "2nd", "mask", "", "true", "$", "no such thing"]
    ),
    max_size=4,
)
TREES = st.recursive(
    st.tuples(TAGS, ATTRIBUTES, st.just(())),
    lambda inner: st.tuples(TAGS, ATTRIBUTES, st.lists(inner, max_size=4)),
    max_leaves=14,
)


def as_xml(tree):
    tag, attributes, children = tree
    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{said}>{''.join(map(as_xml, children))}</{tag}>"


@settings(max_examples=400, deadline=None)
@given(TREES.map(as_xml) | st.text(max_size=60))
def test_any_label_config_is_understood_or_refused_on_purpose(config):
    try:
        assert read_controls(config).from_name is not None
    except BackendError as error:
        assert str(error)
