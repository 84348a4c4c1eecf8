"""The Flask app: routes joined, who may come in, and what each error becomes."""

import hmac
import logging
import time
import uuid

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from ris.errors import BackendError, ImageError, InputError, NotReady, StoreError
from ris.labelstudio.api.connecting import make_webhook_token
from ris.web.handlers import Services
from ris.web.logs import REQUEST_ID
from ris.web.metrics import Metrics
from ris.web.ml_api import make_ml_api

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 250 * 2**20  # what Label Studio itself accepts; a task brings all its earlier masks
_ERROR_STATUSES: tuple[tuple[type[BackendError], int], ...] = (
    (InputError, 400),
    (ImageError, 422),
    (NotReady, 503),
    (StoreError, 503),
    (BackendError, 500),
)


def create_app(backend: Services, *, basic_auth: tuple[str, str] | None = None) -> Flask:
    """One app over one backend.

    Args:
        basic_auth: user and password that every route but `/health` asks for; None asks for nothing. A
            webhook may bring the token of `make_webhook_token` in their place.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    metrics = Metrics(backend.suggesting)
    app.register_blueprint(make_ml_api(backend, metrics))
    _register_error_handlers(app)
    _measure_requests(app, metrics)
    if basic_auth:
        _require_password(app, *basic_auth)
    return app


def _require_password(app: Flask, user: str, password: str) -> None:
    wanted, token = f"{user}:{password}".encode(), make_webhook_token(password).encode()

    @app.before_request
    def check_password() -> Response | None:
        if request.path == "/health":
            return None
        given = request.authorization
        told = f"{given.username}:{given.password}" if given and given.type == "basic" else ""
        secret = str(given.token) if given and given.type == "bearer" else ""
        if hmac.compare_digest(told.encode(), wanted):
            return None
        if hmac.compare_digest(secret.encode(), token) and request.path == "/webhook":
            return None
        answer = jsonify(error="this backend asks for a user and a password (RIS_BASIC_AUTH_USER)")
        answer.status_code = 401
        answer.headers["WWW-Authenticate"] = 'Basic realm="ris"'
        return answer


def _measure_requests(app: Flask, metrics: Metrics) -> None:
    """One log line and one measurement a request; never a body."""

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
    """A sentence to the client, a traceback to the log when it is our fault."""

    @app.errorhandler(BackendError)
    def handle_backend_error(error: BackendError) -> tuple[Response, int]:
        status = next(status for kind, status in _ERROR_STATUSES if isinstance(error, kind))
        log.warning("%s %s: %s", request.method, request.path, error)
        return jsonify(error=str(error)), status

    @app.errorhandler(HTTPException)
    def handle_http_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @app.errorhandler(Exception)
    def handle_unexpected_error(error: Exception) -> tuple[Response, int]:
        log.exception("%s %s failed", request.method, request.path)
        return jsonify(error=f"failed inside; the server's log says more under {g.get('request_id')}"), 500
