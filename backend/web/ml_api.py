"""The routes that Label Studio calls; see `label_config/README.md` for what it shows of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import BadRequest

from backend.errors import InputError
from backend.labelstudio.context import read_context
from backend.labelstudio.region import write_all, write_fixed, write_interactive, write_predictions
from backend.labelstudio.task import PredictRequest, TaskFailure, read_setup, read_tasks
from backend.service import Recording, Refining, Suggesting, Synced
from backend.web.dashboard import dashboard
from backend.web.metrics import Metrics

START_TRAINING = "START_TRAINING"
KNOWN_ACTIONS = frozenset(
    {
        "ANNOTATION_CREATED",
        "ANNOTATION_UPDATED",
        "ANNOTATIONS_CREATED",
        "ANNOTATIONS_DELETED",
        "TASKS_CREATED",
        "TASKS_DELETED",
        "PROJECT_UPDATED",
        START_TRAINING,
    }
)


@dataclass(frozen=True, slots=True)
class Backend:
    """What the routes call.

    Attributes:
        deadline_s: how long one /predict may take in all.
        train: what "Start Training" starts; False when it is running already.
        synced: the last sync of every project, for the page at `/`.
    """

    suggesting: Suggesting
    recording: Recording
    refining: Refining
    deadline_s: float
    train: Callable[[], bool]
    synced: Callable[[], Sequence[Synced]] = tuple


def ml_api(backend: Backend, metrics: Metrics) -> Blueprint:
    """The blueprint over one backend."""
    routes = Blueprint("ml_api", __name__)

    @routes.get("/health")
    def health() -> tuple[Response, int]:
        """Alive at once, whatever the networks do. A backend that never will be ready says so."""
        state = backend.suggesting.worker.state()
        if state in ("loading", "ready"):
            return jsonify(
                status="UP",
                model_class="ReferringSegmentation",
                model_version=backend.suggesting.base,
                models=state,
            ), 200
        return jsonify(status="DOWN", error=f"the models could not be loaded: {state}"), 503

    @routes.post("/setup")
    def setup() -> Response:
        """Say which version suggestions have; refuse a label config that has no place for a mask."""
        backend.suggesting.see_project(read_setup(_body()))
        return jsonify(model_version=backend.suggesting.version)

    @routes.post("/predict")
    def predict() -> Response:
        """One entry a task, always: a list of predictions, or [] with the reason in the log."""
        asked, version = read_tasks(_body()), backend.suggesting.version
        if asked.context is not None:
            return jsonify(results=[interactive(asked, asked.context, version)], model_version=version)
        answers = backend.suggesting.suggest(asked.entries, deadline_s=backend.deadline_s)
        for answer in answers:
            metrics.tasks.labels("alternatives" if answer.offers else "empty").inc()
        return jsonify(
            results=[write_predictions(answer.offers, asked.controls, version=version) for answer in answers],
            model_version=version,
        )

    def interactive(asked: PredictRequest, given: Mapping[str, Any], version: str) -> dict[str, Any]:
        """One answer for one task. Typed words go before what was pointed at."""
        (entry, *_) = asked.entries or (TaskFailure(None, "an interactive request needs a task"),)
        if isinstance(entry, TaskFailure):
            raise InputError(entry.reason)
        context = read_context(given, asked.controls)
        controls = replace(asked.controls, label=context.label or asked.controls.label)
        if context.words:
            task = replace(entry, expression=context.words)
            (answer,) = backend.suggesting.suggest([task], deadline_s=backend.deadline_s)
            score = answer.offers[0].suggestion.score if answer.offers else 0.0
            return write_interactive(write_all(answer.offers, controls), score=score, version=version)
        assert context.prompts is not None
        fixed = backend.refining.refine(entry, context.prompts, deadline_s=backend.deadline_s)
        if fixed is None:
            return write_interactive([], score=0.0, version=version)
        regions = write_fixed(fixed.mask, fixed.offer, controls, score=fixed.score)
        return write_interactive(regions, score=fixed.score, version=version)

    @routes.post("/webhook")
    def webhook() -> tuple[Response, int]:
        """Write the event down, answer; it is worked on after."""
        body = _body()
        if not isinstance(body, dict):
            raise InputError(f"a webhook's body must be a JSON object, got {type(body).__name__}")
        new = backend.recording.record(body)
        action = body.get("action")
        if action == START_TRAINING:
            backend.train()
        metrics.events.labels(action if action in KNOWN_ACTIONS else "other").inc()
        return jsonify(status="kept" if new else "known"), 201 if new else 200

    @routes.get("/versions")
    def versions() -> Response:
        """The model versions that the project settings page offers."""
        return jsonify(versions=[backend.suggesting.version])

    @routes.get("/metrics")
    def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    routes.register_blueprint(dashboard(backend.suggesting, health, backend.synced))
    return routes


def _body() -> object:
    """The JSON of the request, whatever its declared type.

    Raises:
        InputError: the body is not JSON.
    """
    try:
        return request.get_json(force=True)
    except BadRequest as error:
        raise InputError(f"the body of {request.path} must be JSON: {error.description}") from error
