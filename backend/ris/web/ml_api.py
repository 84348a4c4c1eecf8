"""The routes that Label Studio calls; see `label_config/README.md` for what it shows of them."""

from pathlib import Path

from flask import Blueprint, Response, jsonify, request, send_file
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ris.errors import BackendError
from ris.labelstudio.body import parse_body, parse_predict
from ris.web import handlers
from ris.web.dashboard import make_dashboard
from ris.web.handlers import START_TRAINING, Services
from ris.web.metrics import Metrics

_READ_CHUNK_BYTES = 2**20
_USER_AGENT_PREFIX = "heartex/"  # how its User-Agent begins where it asks for predictions
_OPENAPI_FILE = Path(__file__).with_name("openapi.json")
_KNOWN_ACTIONS = frozenset(
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


def make_ml_api(backend: Services, metrics: Metrics) -> Blueprint:
    """The blueprint over one backend."""
    routes = Blueprint("ml_api", __name__)

    @routes.get("/health")
    def get_health() -> Response:
        """Alive: at once, to everybody, whatever the networks do, and nothing else."""
        return jsonify(status="UP", model_class="ReferringSegmentation")

    @routes.get("/health/ready")
    def get_readiness() -> tuple[Response, int]:
        """Whether a task that came now would be worked on: networks loaded, database there."""
        models, database = backend.suggesting.worker.get_state(), "ready"
        try:
            version = backend.suggesting.version
        except BackendError as error:
            version, database = backend.suggesting.base, str(error)
        is_ready = models.is_ready and database == "ready"
        return jsonify(
            status="UP" if is_ready else "DOWN", models=str(models), database=database, model_version=version
        ), 200 if is_ready else 503

    @routes.post("/setup")
    def setup() -> Response:
        """Say which version suggestions have; refuse a label config that has no place for a mask."""
        return jsonify(model_version=handlers.set_up_project(backend, parse_body(_read_body(), request.path)))

    @routes.post("/predict")
    def predict() -> Response:
        """One entry a task, always: a list of predictions, or [] with the reason in the log."""
        by_label_studio = request.user_agent.string.startswith(_USER_AGENT_PREFIX)
        answered = handlers.predict(backend, parse_predict(_read_body()), by_label_studio=by_label_studio)
        for cause in answered.causes:
            metrics.tasks.labels("empty" if cause else "alternatives").inc()
            if cause:
                metrics.empty.labels(cause).inc()
        return jsonify(results=answered.results, model_version=answered.version)

    @routes.post("/webhook")
    def receive_webhook() -> tuple[Response, int]:
        """Write the event down, answer; it is worked on after."""
        body = parse_body(_read_body(), request.path)
        new = handlers.record_event(backend, body)
        action = str(body.get("action")) if isinstance(body, dict) else ""
        metrics.events.labels(action if action in _KNOWN_ACTIONS else "other").inc()
        return jsonify(status="kept" if new else "known"), 201 if new else 200

    @routes.get("/versions")
    def list_versions() -> Response:
        """The model versions that the project settings page offers."""
        return jsonify(versions=[backend.suggesting.version])

    @routes.get("/openapi.json")
    def get_openapi() -> Response:
        """These routes, described for other programs."""
        return send_file(_OPENAPI_FILE, mimetype="application/json")

    @routes.get("/metrics")
    def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    routes.register_blueprint(make_dashboard(backend.suggesting, get_readiness, backend.get_last_syncs))
    return routes


def _read_body() -> bytearray:
    """The bytes of the request, held once: hundreds of megabytes of earlier masks may be among them."""
    read = bytearray()
    while chunk := request.stream.read(_READ_CHUNK_BYTES):
        read += chunk
    return read
