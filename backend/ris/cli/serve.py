"""`ris serve`: the backend as one process with threads."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from threading import Timer
from typing import Annotated

import typer

from ris import config, planning, wsgi
from ris.errors import SettingsError
from ris.store.server_lock import ServerLock
from ris.store.session import Database, upgrade_database
from ris.web.logs import start_logging
from ris.web.server import RequestServer, listen

_SWITCH_INTERVAL_S = 0.001  # how soon threads that compute leave Python's lock to others
ANSWER_WITHIN_S, KILL_AFTER_S = 20, 30  # after the stop signal; Docker must not kill it sooner


def serve(
    host: Annotated[str | None, typer.Option(help="RIS_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="RIS_PORT")] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="upgrade the database first, as `ris db upgrade` does")
    ] = False,
) -> None:
    """Serve Label Studio's requests for suggestions.

    All other settings are environment variables `RIS_...`; docs/settings.md lists them.

    Example: `ris serve --upgrade --port 9090`
    """
    settings = config.read_settings(host=host, port=port)
    start_logging(settings.log_level, settings.log_format)
    if upgrade:
        upgrade_database(settings.database_url)
    check_server_settings(settings)
    plan = planning.make_plan(settings)
    log = logging.getLogger("ris")
    place = config.format_host_port(settings.host, settings.port)
    log.info("listening on %s as %s: %s", place, plan.version, plan.preset.summary)
    log.info(
        "describer: %s, synonyms: %s, precision: %s",
        plan.describer, plan.synonyms, plan.arithmetic,
    )  # fmt: skip
    if settings.label_studio_api_key is None:
        log.warning(
            "RIS_LABEL_STUDIO_API_KEY is not set: images uploaded to Label Studio cannot be read, and "
            "nothing is synced; set it to the key from Account & Settings in Label Studio, and start again"
        )
    serve_requests(settings)


def serve_requests(settings: config.Settings) -> None:
    """Serve until a stop signal, then answer or refuse open requests."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    listener = listen(settings.host, settings.port)
    app = wsgi.assemble_app(settings)
    assembled = app.extensions["ris"]
    server = RequestServer(listener, app.wsgi_app)

    def stop_in_time(*_: object) -> None:
        if not server.is_stopping:
            _start_timer(ANSWER_WITHIN_S, assembled.worker.reject_jobs)
            _start_timer(KILL_AFTER_S, _end_process)
        server.stop()

    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop_signal, stop_in_time)
    server.run()
    assembled.close()


def _start_timer(seconds: float, work: Callable[[], object]) -> None:
    timer = Timer(seconds, work)
    timer.daemon = True
    timer.start()


def _end_process() -> None:
    logging.getLogger("ris").error("stopped in the middle of its work, %d s after the signal", KILL_AFTER_S)
    os._exit(1)


def check_server_settings(settings: config.Settings) -> None:
    """Check what would stop the server, so that it is reported here and not in a worker's log.

    Raises:
        SettingsError: a setting cannot be used, or the port is in use.
        StoreError: the database is missing, at another revision, or in use by another server (SQLite).
        WeightsError: a model file is missing or damaged.
    """
    config.check_listening(settings)
    planning.make_plan(settings)
    Database.open(settings.database_url).close()
    ServerLock(settings.database_url).release()
    try:
        listen(settings.host, settings.port).close()
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {config.format_host_port(settings.host, settings.port)}: {error.strerror}; "
            "stop the process that uses it, or choose another port with --port"
        ) from error
