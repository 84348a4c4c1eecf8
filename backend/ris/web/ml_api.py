"""The routes that Label Studio calls; see `label_config/README.md` for what it shows of them."""

from pathlib import Path

from flask import Blueprint, Response, jsonify, request, send_file
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ris.errors import BackendError
from ris.labelstudio.body import parse_body, parse_predict
from ris.web import answers
from ris.web.answers import START_TRAINING, Backend
from ris.web.dashboard import dashboard
from ris.web.metrics import Metrics

CHUNK_BYTES = 2**20
LABEL_STUDIO = "heartex/"  # how its User-Agent begins where it asks for predictions
OPENAPI = Path(__file__).with_name("openapi.json")
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
    def health() -> Response:
        """Alive: at once, to everybody, whatever the networks do, and nothing else."""
        return jsonify(status="UP", model_class="ReferringSegmentation")

    @routes.get("/health/ready")
    def ready() -> tuple[Response, int]:
        """Whether a task that came now would be worked on: networks loaded, database there."""
        state, database = backend.suggesting.worker.state(), "ready"
        try:
            version = backend.suggesting.version
        except BackendError as error:
            version, database = backend.suggesting.base, str(error)
        is_ready = state == database == "ready"
        return jsonify(
            status="UP" if is_ready else "DOWN", models=state, database=database, model_version=version
        ), 200 if is_ready else 503

    @routes.post("/setup")
    def setup() -> Response:
        """Say which version suggestions have; refuse a label config that has no place for a mask."""
        return jsonify(model_version=answers.setup(backend, parse_body(_read(), request.path)))

    @routes.post("/predict")
    def predict() -> Response:
        """One entry a task, always: a list of predictions, or [] with the reason in the log."""
        by_label_studio = request.user_agent.string.startswith(LABEL_STUDIO)
        answered = answers.predict(backend, parse_predict(_read()), by_label_studio=by_label_studio)
        for cause in answered.causes:
            metrics.tasks.labels("empty" if cause else "alternatives").inc()
            if cause:
                metrics.empty.labels(cause).inc()
        return jsonify(results=answered.results, model_version=answered.version)

    @routes.post("/webhook")
    def webhook() -> tuple[Response, int]:
        """Write the event down, answer; it is worked on after."""
        body = parse_body(_read(), request.path)
        new = answers.record(backend, body)
        action = str(body.get("action")) if isinstance(body, dict) else ""
        metrics.events.labels(action if action in KNOWN_ACTIONS else "other").inc()
        return jsonify(status="kept" if new else "known"), 201 if new else 200

    @routes.get("/versions")
    def versions() -> Response:
        """The model versions that the project settings page offers."""
        return jsonify(versions=[backend.suggesting.version])

    @routes.get("/openapi.json")
    def describe() -> Response:
        """These routes, described for other programs."""
        return send_file(OPENAPI, mimetype="application/json")

    @routes.get("/metrics")
    def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    routes.register_blueprint(dashboard(backend.suggesting, ready, backend.synced))
    return routes


def _read() -> bytearray:
    """The bytes of the request, held once: hundreds of megabytes of earlier masks may be among them."""
    read = bytearray()
    while chunk := request.stream.read(CHUNK_BYTES):
        read += chunk
    return read
