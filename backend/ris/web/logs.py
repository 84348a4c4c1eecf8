"""The server's log: one JSON object on each line, with the id of its request.

No line holds a secret or a control character, whatever a request, a library or another server wrote.
"""

import copy
import logging
import sys
import threading
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

from ris.redaction.json_values import redact_json
from ris.redaction.messages import escape_controls, escape_controls_in_lines, format_traceback
from ris.redaction.text import redact_text

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
_FIELDS = ("asctime", "levelname", "name", "request_id", "message")
LogFormat = Literal["json", "text"]
_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

log = logging.getLogger(__name__)


class _TextFormatter(logging.Formatter):
    """Writes a record on one line. The lines of its traceback begin with " | ": no line of it is a record."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(_drop_cached_traceback(record))
        first, *others = text.split("\n")
        return "\n".join([first, *(f" | {line}" for line in others)])

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return escape_controls(redact_text(super().formatMessage(record)))

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802
        return _format_exception(ei)

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return escape_controls_in_lines(redact_text(stack_info))


class _JsonFormatter(JsonFormatter):
    """Writes a record as one JSON object; in its values only line feeds and tabs remain of the controls."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(_drop_cached_traceback(record)).replace("\x7f", "\\u007f")

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802
        return _format_exception(ei)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Redact and escape every field."""
        clean: dict[str, Any] = redact_json(super().process_log_record(log_data))
        return {
            name: escape_controls_in_lines(redact_text(value)) if isinstance(value, str) else value
            for name, value in clean.items()
        }


def _drop_cached_traceback(record: logging.LogRecord) -> logging.LogRecord:
    """Return the record without the traceback that another handler's formatter left in it."""
    if not record.exc_info:
        return record
    shown = copy.copy(record)
    shown.exc_text = None
    return shown


def _format_exception(info: _ExceptionInfo) -> str:
    return format_traceback(info[1]) if info[1] else ""


def _log_thread_exception(args: threading.ExceptHookArgs) -> None:
    """Log an exception that ended a thread; Python would print it as it is."""
    if args.exc_value is not None:
        name = args.thread.name if args.thread else "unknown"
        log.error("thread %s ended with an error", name, exc_info=args.exc_value)


def start_logging(level: str, log_format: LogFormat) -> None:
    """Send the log of this process, Python's warnings, and the exceptions of threads to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    handler.addFilter(_has_logger_name)
    if log_format == "json":
        handler.setFormatter(
            _JsonFormatter(
                list(_FIELDS), datefmt="%Y-%m-%dT%H:%M:%S%z",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )  # fmt: skip
    else:
        handler.setFormatter(_TextFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a message that cannot be formatted would be printed with its arguments
    threading.excepthook = _log_thread_exception
    for noisy in ("alembic", "httpcore", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = REQUEST_ID.get()
    return True


def _has_logger_name(record: logging.LogRecord) -> bool:
    """Drop messages below WARNING that libraries log without a logger name."""
    return record.name != "root" or record.levelno >= logging.WARNING
