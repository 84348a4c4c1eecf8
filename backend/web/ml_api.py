"""The routes that Label Studio calls; see `label_config/README.md` for what it shows of them."""

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import BadRequest

from backend.errors import InputError
from backend.web import answers
from backend.web.answers import START_TRAINING, Backend
from backend.web.dashboard import dashboard
from backend.web.metrics import Metrics

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
        return jsonify(model_version=answers.setup(backend, _body()))

    @routes.post("/predict")
    def predict() -> Response:
        """One entry a task, always: a list of predictions, or [] with the reason in the log."""
        answered = answers.predict(backend, _body())
        for result in answered.results:
            metrics.tasks.labels("alternatives" if result else "empty").inc()
        return jsonify(results=answered.results, model_version=answered.version)

    @routes.post("/webhook")
    def webhook() -> tuple[Response, int]:
        """Write the event down, answer; it is worked on after."""
        body = _body()
        new = answers.record(backend, body)
        action = str(body.get("action")) if isinstance(body, dict) else ""
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
