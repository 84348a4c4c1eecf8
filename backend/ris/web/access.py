"""Decide which requests are answered: client, password, host, origin and media type, in this order.

The password comes first, so that a caller without it learns nothing about the settings. Only `/health` passes
unchecked: probes call it by any address.
"""

import hmac
import ipaddress

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import BadRequest, Forbidden, Unauthorized, UnsupportedMediaType

from ris.labelstudio.api.connecting import make_webhook_token
from ris.service.webhook_access import TokenReader
from ris.store.webhook_tokens import AcceptedTokens
from ris.web.hosts import HostRules, parse_authority

_NO_PROJECT = -1  # a number that no project has
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_requests(
    app: Flask,
    login: tuple[str, str] | None,
    hosts: HostRules,
    tokens: TokenReader,
    *,
    allow_anonymous: bool,
) -> None:
    """Check every request of an app before it is answered.

    Args:
        app: the app.
        login: user and password; None requires none.
        hosts: under which the server may be called.
        tokens: that a webhook may carry instead of the password.
        allow_anonymous: answers other machines without a password too.
    """

    @app.before_request
    def check_request() -> Response | None:
        if request.path == "/health":
            return None
        if login is None and not allow_anonymous:
            _check_client()
        if login is not None and not _has_password(*login) and not _has_token(login[1], tokens):
            return _refuse_login()
        _check_host(hosts)
        if request.method not in _READING_METHODS:
            _check_origin(hosts)
            _check_media_type()
        return None


def _check_client() -> None:
    """Refuse other machines, whatever address a foreign WSGI server listens on."""
    try:
        address = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:  # a Unix socket
        return
    if not (getattr(address, "ipv4_mapped", None) or address).is_loopback:
        raise Forbidden(
            "this backend has no password and answers only its own machine: set RIS_BASIC_AUTH_USER and "
            "RIS_BASIC_AUTH_PASSWORD"
        )


def _has_password(user: str, password: str) -> bool:
    header = request.authorization
    login = f"{header.username}:{header.password}" if header and header.type == "basic" else ""
    return hmac.compare_digest(login.encode("utf-8", "replace"), f"{user}:{password}".encode())


def _has_token(password: str, tokens: TokenReader) -> bool:
    """Tell whether a webhook carries a token; the one of an earlier version still has to fit its project."""
    header = request.authorization
    token = str(header.token) if header and header.type == "bearer" else ""
    if not token or request.path != "/webhook":
        return False
    accepted = tokens.read()
    if accepted.has(token):
        return True
    computed = make_webhook_token(password).encode()
    if hmac.compare_digest(token.encode("utf-8", "replace"), computed) and accepted.takes_computed_token():
        g.accepted_tokens = accepted
        return True
    return False


def check_event_project(body: object) -> None:
    """Refuse an event with the token of an earlier version if its project has a token of its own now.

    Args:
        body: the JSON of the current request.

    Raises:
        Unauthorized: the token is not accepted for this project any more.
    """
    accepted: AcceptedTokens | None = g.get("accepted_tokens")
    project = body.get("project") if isinstance(body, dict) else None
    number = project.get("id") if isinstance(project, dict) else project
    if accepted is None:
        return
    known = number if isinstance(number, int) else _NO_PROJECT
    if not accepted.takes_computed_token(None if number is None else known):
        raise Unauthorized(
            f"this token is not accepted for project {number} any more: run `ris connect --project {number}`"
        )


def _refuse_login() -> Response:
    answer = jsonify(error="this backend requires a user and a password (RIS_BASIC_AUTH_USER)")
    answer.status_code = 401
    answer.headers["WWW-Authenticate"] = 'Basic realm="ris"'
    return answer


def _check_host(hosts: HostRules) -> None:
    header = request.environ.get("HTTP_HOST", "")
    try:
        name, _ = parse_authority(header)
    except ValueError:
        raise BadRequest(f"the header Host must name one host, got {header[:80]!r}") from None
    if not hosts.is_allowed(name):
        raise Forbidden(
            f"this backend does not answer to the host {name[:80]!r}; if that is meant, add it to "
            "RIS_ALLOWED_HOSTS"
        )


def _check_origin(hosts: HostRules) -> None:
    """Refuse what a page of another site sends. Label Studio's server sends neither header."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none")
    if site not in ("same-origin", "none") or (
        origin is not None and not hosts.is_own_origin(origin, request.environ["HTTP_HOST"])
    ):
        sender = f"the site {origin[:80]!r}" if origin else "another site"
        raise Forbidden(f"{sender} may not send requests to this backend: they come from its own pages only")


def _check_media_type() -> None:
    """Refuse a body that is not declared as JSON: a page may send other types to any site, unasked."""
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if request.url_rule is not None and has_body and request.mimetype != "application/json":
        raise UnsupportedMediaType(
            f"the header Content-Type must be application/json, got {request.mimetype[:80]!r}"
        )
