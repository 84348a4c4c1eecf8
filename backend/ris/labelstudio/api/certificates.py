"""Label Studio behind https: whose certificates are trusted, and what is told when one is not.

`requests` reads REQUESTS_CA_BUNDLE, `httpx` reads SSL_CERT_FILE; here either is good for both.
"""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from ris.errors import LabelStudioError, UntrustedError

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_CODE_EXPIRED, _CODE_WRONG_HOST, _CODE_WRONG_ADDRESS = 10, 62, 64  # of OpenSSL's X509_V_ERR_*
_NO_TLS_REASONS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")


def find_bundle() -> str | bool:
    """A file with the certificates of trusted authorities; True where the environment names none.

    Raises:
        LabelStudioError: the environment names one that is not there.
    """
    for name in BUNDLE_VARIABLES:
        if path := os.environ.get(name):
            if not Path(path).exists():
                raise LabelStudioError(f"{name} names {path}, which is not there")
            return path
    return True


def make_tls_context() -> ssl.SSLContext | bool:
    """The same as a context of TLS.

    Raises:
        LabelStudioError: the environment names a file that is not there, or that has no certificates.
    """
    path = find_bundle()
    if not isinstance(path, str):
        return path
    is_folder = Path(path).is_dir()
    try:
        return ssl.create_default_context(
            cafile=None if is_folder else path, capath=path if is_folder else None
        )
    except OSError as error:
        raise LabelStudioError(f"{path} is no file of certificates (PEM): {error}") from error


def to_connection_error(who: str, error: Exception) -> LabelStudioError:
    """The error for an address that could not be talked to: the reason, and what to do about a certificate.

    Args:
        who: e.g. "Label Studio at https://labels.example.com".
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
    """An error and what it came of, wherever libraries keep that."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and not any(one is other for other in seen):
            seen.append(one)
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
