"""The Flask app: routes, checks, and the status of each error."""

import logging
import time
import uuid

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from ris.errors import (
    BackendError,
    ImageError,
    InputError,
    NotReady,
    OversizedError,
    StoreError,
    StoreRefusal,
)
from ris.redaction.text import redact_text
from ris.service.webhook_access import TokenReader
from ris.web.access import check_requests
from ris.web.handlers import Services
from ris.web.headers import send_security_headers
from ris.web.hosts import HostRules
from ris.web.logs import REQUEST_ID
from ris.web.metrics import Metrics
from ris.web.ml_api import make_ml_api

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 250 * 2**20  # the limit of Label Studio itself; a task contains all its earlier masks
RETRY_AFTER_S = 10
_ERROR_STATUSES: tuple[tuple[type[BackendError], int], ...] = (
    (OversizedError, 413),
    (InputError, 400),
    (ImageError, 422),
    (NotReady, 503),
    (StoreRefusal, 400),
    (StoreError, 503),
    (BackendError, 500),
)


def create_app(
    backend: Services,
    *,
    basic_auth: tuple[str, str] | None = None,
    hosts: HostRules = HostRules(),  # noqa: B008, it is frozen
    allow_anonymous: bool = False,
) -> Flask:
    """Return the app over one backend.

    Args:
        backend: the services that the routes call.
        basic_auth: user and password that every route but `/health` requires; None requires nothing. A
            webhook may carry a token of its own instead.
        hosts: under which the server may be called.
        allow_anonymous: answers other machines without a password too.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    metrics = Metrics(backend.suggesting, backend.vlm_usage)
    app.register_blueprint(make_ml_api(backend, metrics))
    _register_error_handlers(app)
    _measure_requests(app, metrics)
    tokens = TokenReader(backend.suggesting.database)
    check_requests(app, basic_auth, hosts, tokens, allow_anonymous=allow_anonymous)
    send_security_headers(app)
    return app


def _measure_requests(app: Flask, metrics: Metrics) -> None:
    """Write one log line and one measurement for each request, without its body."""

    @app.before_request
    def start_timer() -> None:
        g.started, g.request_id = time.monotonic(), uuid.uuid4().hex[:12]
        REQUEST_ID.set(g.request_id)

    @app.after_request
    def log_request(response: Response) -> Response:
        elapsed_s = time.monotonic() - g.get("started", time.monotonic())
        route = request.url_rule.rule if request.url_rule else "unknown"
        metrics.requests.labels(route, response.status_code).inc()
        metrics.seconds.labels(route).observe(elapsed_s)
        level = logging.DEBUG if route in ("/health", "/health/ready", "/metrics") else logging.INFO
        log.log(level, "%s %s %d %d ms", request.method, request.path, response.status_code, 1000 * elapsed_s)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response


def _register_error_handlers(app: Flask) -> None:
    """Answer errors with a sentence; the traceback of an unexpected error goes to the log."""

    @app.errorhandler(BackendError)
    def handle_backend_error(error: BackendError) -> tuple[Response, int]:
        status = next(status for kind, status in _ERROR_STATUSES if isinstance(error, kind))
        log.warning("%s %s: %s", request.method, request.path, error)
        answer = jsonify(error=str(error))
        if status == 503:
            answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer, status

    @app.errorhandler(HTTPException)
    def handle_http_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=redact_text(error.description or error.name)), error.code or 500

    @app.errorhandler(Exception)
    def handle_unexpected_error(error: Exception) -> tuple[Response, int]:
        log.exception("%s %s failed", request.method, request.path)
        return jsonify(error=f"internal error; see request {g.get('request_id')} in the server's log"), 500
