"""TLS for Label Studio and for hosts of images: which authorities are trusted, and errors about certificates.

The variables are those of the common programs: requests and pip read REQUESTS_CA_BUNDLE, curl reads
CURL_CA_BUNDLE, OpenSSL and httpx read SSL_CERT_FILE.
"""

import os
import ssl
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import httpx

from ris.errors import LabelStudioError, UntrustedError

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_CODE_EXPIRED, _CODE_WRONG_HOST, _CODE_WRONG_ADDRESS = 10, 62, 64  # of OpenSSL's X509_V_ERR_*
_NO_TLS_REASONS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")


def make_tls_context() -> ssl.SSLContext:
    """Return a TLS context that trusts the authorities of the environment's bundle, else those of certifi.

    Raises:
        LabelStudioError: the environment names a file that is not there, or that has no certificates.
    """
    path = _find_bundle()
    return _load_context(path, path.stat().st_mtime_ns if path else 0)


def _find_bundle() -> Path | None:
    for name in BUNDLE_VARIABLES:
        if value := os.environ.get(name):
            if not Path(value).exists():
                raise LabelStudioError(f"{name} names {value}, which is not there")
            return Path(value)
    return None


@lru_cache(maxsize=4)
def _load_context(path: Path | None, modified_ns: int) -> ssl.SSLContext:
    """Load certificates, cached: that takes tens of milliseconds. A new `modified_ns` loads them again."""
    if path is None:
        return httpx.create_ssl_context(trust_env=False)
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise LabelStudioError(f"{path} is no file of certificates (PEM): {error}") from error


def to_connection_error(who: str, error: Exception) -> LabelStudioError:
    """Make the error for an address that did not answer: the reason, and what to do about a certificate.

    Args:
        who: the subject of the sentence, such as "Label Studio at https://labels.example.com".
        error: of the HTTP client.
    """
    causes = list(_find_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UntrustedError(f"{who} does not answer: {_explain_untrusted(cause)}")
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and str(cause.reason or "") in _NO_TLS_REASONS:
            return LabelStudioError(f"{who} does not answer: it speaks no https there, http:// may be meant")
    return LabelStudioError(f"{who} does not answer: {type(error).__name__}")


def _explain_untrusted(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _CODE_EXPIRED:
        return "its certificate has expired"
    if error.verify_code in (_CODE_WRONG_HOST, _CODE_WRONG_ADDRESS):
        return f"its certificate is of another host ({error.verify_message})"
    return (
        f"its certificate is not trusted ({error.verify_message}): set REQUESTS_CA_BUNDLE to a file (PEM) "
        "with the certificate of its authority"
    )


def _find_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, wherever libraries keep them."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and not any(one is other for other in seen):
            seen.append(one)
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
