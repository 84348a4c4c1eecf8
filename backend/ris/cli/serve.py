"""`ris serve`: the backend under gunicorn, with one process and threads."""

import logging
import socket
import time
from threading import Event, Thread
from typing import Annotated, Any

import typer
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from ris import config, planning, wsgi
from ris.errors import SettingsError
from ris.store.session import Database, upgrade_database
from ris.web.logs import start_logging

ANSWER_WITHIN_S, KILL_AFTER_S = 20, 30  # after the stop signal; Docker must not kill it sooner
SERVER_THREADS = 16  # Label Studio asks /health and /setup while others wait in /predict


class _GunicornLogger(Logger):
    """Sends gunicorn's messages to our log."""

    def setup(self, cfg: Any) -> None:
        self.error_log.setLevel(logging.WARNING)
        self.error_log.propagate = True


class _GracefulWorker(ThreadWorker):
    """gunicorn's worker with threads. After a stop signal it answers or refuses open requests."""

    def init_process(self) -> None:
        self.stop_asked = Event()
        Thread(target=self._refuse_in_time, name="stop", daemon=True).start()
        super().init_process()

    def handle_exit(self, sig: Any, frame: Any) -> None:
        super().handle_exit(sig, frame)
        self.stop_asked.set()

    def _refuse_in_time(self) -> None:
        self.stop_asked.wait()
        time.sleep(ANSWER_WITHIN_S)
        app: Any = self.wsgi  # a Flask
        app.extensions["ris"].worker.reject_jobs()


class _GunicornServer(BaseApplication):
    """gunicorn with one worker process, which makes the app after the fork."""

    def __init__(self, settings: config.Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": config.format_host_port(self.settings.host, self.settings.port),
            "workers": 1,
            "worker_class": _GracefulWorker,
            "threads": SERVER_THREADS,
            "timeout": 0,  # a busy thread does not mean that the process hangs
            "graceful_timeout": KILL_AFTER_S,
            "control_socket_disable": True,  # unused, and it needs a writable folder
            "logger_class": _GunicornLogger,
            "worker_exit": lambda _, worker: worker.wsgi.extensions["ris"].close(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return wsgi.assemble_app(self.settings)


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
    _GunicornServer(settings).run()


def check_server_settings(settings: config.Settings) -> None:
    """Check what would stop the server, so that it is reported here and not in a worker's log.

    Raises:
        SettingsError: a setting cannot be used, or the port is in use.
        StoreError: the database is missing or at another revision.
        WeightsError: a model file is missing or damaged.
    """
    if not settings.is_loopback and settings.basic_auth_password is None and not settings.allow_anonymous:
        raise SettingsError(
            f"RIS_HOST is {settings.host}, which other machines can reach, and there is no password: set "
            "RIS_BASIC_AUTH_USER and RIS_BASIC_AUTH_PASSWORD, or "
            "RIS_ALLOW_ANONYMOUS=true to allow access without a password"
        )
    planning.make_plan(settings)
    Database.open(settings.database_url).close()
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {config.format_host_port(settings.host, settings.port)}: {error.strerror}; "
            "stop the process that uses it, or choose another port with --port"
        ) from error
