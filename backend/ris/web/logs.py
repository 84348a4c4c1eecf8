"""The server's log: one JSON object on each line, with the id of its request."""

import logging
import sys
from contextvars import ContextVar
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
_FIELDS = ("asctime", "levelname", "name", "request_id", "message")
LogFormat = Literal["json", "text"]


def start_logging(level: str, log_format: LogFormat) -> None:
    """Send the log of this process, and Python's warnings, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    handler.addFilter(_has_logger_name)
    if log_format == "json":
        handler.setFormatter(
            JsonFormatter(
                list(_FIELDS), datefmt="%Y-%m-%dT%H:%M:%S%z",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )  # fmt: skip
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for noisy in ("alembic", "httpcore", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = REQUEST_ID.get()
    return True


def _has_logger_name(record: logging.LogRecord) -> bool:
    """Drop messages below WARNING that libraries log without a logger name."""
    return record.name != "root" or record.levelno >= logging.WARNING
