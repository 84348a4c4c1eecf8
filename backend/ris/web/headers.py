"""Headers that tell browsers what they may do with an answer."""

from flask import Flask, Response

# Styles and scripts come from our own files: nothing that is written into a page runs.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Our charts have styles inside. A browser that opens one as a page runs nothing and fetches nothing.
DRAWING_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
SECURITY_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def send_security_headers(app: Flask) -> None:
    """Send `SECURITY_HEADERS` with every answer, refusals included; drawings have a policy of their own."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        policy = response.headers.get("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
        response.headers.update({**SECURITY_HEADERS, "Content-Security-Policy": policy})
        return response
