"""The adapter over a fake of the SDK's base class, as its 2.x source documents it."""

import importlib
import sys
from types import ModuleType

import pytest

from ris.label_config import read
from ris.store.history import read_decisions
from ris.web.handlers import Services
from tests.builders.events import box, event


class LabelStudioMLBase:
    """The documented part of the base class: one object per request, with a store of texts per project."""

    CACHE = {}  # noqa: RUF012
    TRAIN_EVENTS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATION_DELETED", "START_TRAINING")

    def __init__(self, project_id=None, label_config=None):
        self.project_id = project_id or ""
        if label_config is not None:
            self.set("label_config", label_config)
        self.setup()

    def set(self, key, value):
        self.CACHE[self.project_id, key] = value

    def get(self, key):
        return self.CACHE.get((self.project_id, key))

    @property
    def label_config(self):
        return self.get("label_config")

    @property
    def model_version(self):
        return self.get("model_version")


@pytest.fixture
def sdk(monkeypatch):
    package, module = ModuleType("label_studio_ml"), ModuleType("label_studio_ml.model")
    module.LabelStudioMLBase = LabelStudioMLBase
    monkeypatch.setitem(sys.modules, "label_studio_ml", package)
    monkeypatch.setitem(sys.modules, "label_studio_ml.model", module)
    monkeypatch.delitem(sys.modules, "adapter.model", raising=False)


@pytest.fixture
def made(sdk, backend, gate, monkeypatch):
    """A model as the SDK makes one for a request of project 1."""
    gate.opened.set()
    adapter = importlib.import_module("adapter.model")
    monkeypatch.setattr(adapter, "get_services", lambda: backend)
    monkeypatch.setattr(adapter, "find_project_key", lambda number: f"{number}.1700000000")
    return adapter.ReferringSegmentation(project_id="1", label_config=read("tabs_brush.xml"))


TASK = {"id": 1, "data": {"image": "squares", "expression": "the red"}}


def test_its_version_is_that_of_the_suggestions(made):
    assert made.model_version == "fake-1"


def test_it_predicts_what_the_routes_predict(made):
    (predictions,) = made.predict([TASK])

    assert [p["result"][0]["meta"]["rank"] for p in predictions] == [2, 1, 0]


def test_a_click_gives_one_prediction(made):
    click = {
        "type": "keypointlabels", "original_width": 32, "original_height": 32, "is_positive": True,
        "value": {"x": 15, "y": 15, "keypointlabels": ["Referent"]},
    }  # fmt: skip

    (prediction,) = made.predict([TASK], context={"result": [click]})

    assert len(prediction["result"]) == 1


@pytest.mark.parametrize("how", ["process_event", "fit"])
def test_an_event_is_on_record_whatever_its_name(made, backend: Services, database, how):
    body = event([box(20)])
    if how == "fit":
        made.fit(body.pop("action"), body)
    else:
        made.process_event(body.pop("action"), body, "job", {})
    while backend.recording.process_events():
        pass

    with database.begin() as session:
        assert len(list(read_decisions(session))) == 1


def test_without_the_sdk_the_import_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "label_studio_ml", None)
    monkeypatch.delitem(sys.modules, "label_studio_ml.model", raising=False)
    monkeypatch.delitem(sys.modules, "adapter.model", raising=False)

    with pytest.raises(ImportError, match="the label-studio-ml 2.x SDK is not installed .* `ris serve`"):
        importlib.import_module("adapter.model")
