"""The routes that Label Studio calls; `label_config/README.md` says what it shows of them."""

from pathlib import Path

from flask import Blueprint, Response, jsonify, request, send_file
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import UnsupportedMediaType

from ris.labelstudio.body import parse_body, parse_predict
from ris.web import handlers
from ris.web.access import check_event_project
from ris.web.dashboard import make_dashboard
from ris.web.handlers import START_TRAINING, Services
from ris.web.metrics import Metrics
from ris.web.probe import DatabaseProbe

_READ_CHUNK_BYTES = 2**20
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")
_USER_AGENT_PREFIX = "heartex/"  # of Label Studio's requests for predictions
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
    """Return the routes over one backend."""
    routes = Blueprint("ml_api", __name__)
    probe = DatabaseProbe(backend.suggesting, backend.recording)

    @routes.get("/health")
    def get_health() -> Response:
        """Answer at once, without a password, also while the networks load."""
        return jsonify(status="UP", model_class="ReferringSegmentation")

    @routes.get("/health/ready")
    def get_readiness() -> tuple[Response, int]:
        """Report whether the networks are loaded, and whether the database answers and can be written."""
        models, (database, version) = backend.suggesting.worker.get_state(), probe.read()
        is_ready = models.is_ready and database == "ready"
        return jsonify(
            status="UP" if is_ready else "DOWN", models=str(models), database=database, model_version=version
        ), 200 if is_ready else 503

    @routes.get("/health/label-studio")
    def get_key_state() -> Response:
        """Report what is wrong with this server's key for Label Studio, or ""; `ris doctor` asks."""
        return jsonify(error=backend.check_label_studio())

    @routes.post("/setup")
    def setup() -> Response:
        """Store the project, and return the version; refuse a label config without a place for a mask."""
        return jsonify(model_version=handlers.set_up_project(backend, parse_body(_read_body(), request.path)))

    @routes.post("/predict")
    def predict() -> Response:
        """Return one entry for each task: a list of predictions, or [] with the reason in the log."""
        by_label_studio = request.user_agent.string.startswith(_USER_AGENT_PREFIX)
        response = handlers.predict(backend, parse_predict(_read_body()), by_label_studio=by_label_studio)
        for cause in response.causes:
            metrics.tasks.labels("empty" if cause else "alternatives").inc()
            if cause:
                metrics.empty.labels(cause).inc()
        return jsonify(results=response.results, model_version=response.version)

    @routes.post("/webhook")
    def receive_webhook() -> tuple[Response, int]:
        """Store the event, and answer; it is processed later."""
        body = parse_body(_read_body(), request.path)
        check_event_project(body)
        is_new = handlers.record_event(backend, body)
        action = str(body.get("action")) if isinstance(body, dict) else ""
        metrics.events.labels(action if action in _KNOWN_ACTIONS else "other").inc()
        return jsonify(status="kept" if is_new else "known"), 201 if is_new else 200

    @routes.get("/versions")
    def list_versions() -> Response:
        """List the model versions for the project settings page."""
        return jsonify(versions=[backend.suggesting.version])

    @routes.get("/openapi.json")
    def get_openapi() -> Response:
        """Describe these routes in OpenAPI."""
        return send_file(_OPENAPI_FILE, mimetype="application/json")

    @routes.get("/metrics")
    def show_metrics() -> Response:
        """Show the metrics in Prometheus' text format."""
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    routes.register_blueprint(make_dashboard(backend, get_readiness))
    return routes


def _read_body() -> bytearray:
    """Read the body into one buffer: hundreds of megabytes of earlier masks are not held twice.

    Raises:
        UnsupportedMediaType: it is compressed, or not in UTF-8.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType(f"a body must not be compressed, got {encoding[:40]!r}: send it as it is")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in _CHARSETS:
        raise UnsupportedMediaType(f"a body must be in UTF-8, as JSON is, got {charset[:40]!r}")
    body = bytearray()
    while chunk := request.stream.read(_READ_CHUNK_BYTES):
        body += chunk
    return body
