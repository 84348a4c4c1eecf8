"""The WSGI application: what gunicorn calls in its one worker process."""

import logging

from flask import Flask

from ris import assembly, config
from ris.web.answers import Backend
from ris.web.app import create_app

log = logging.getLogger(__name__)


def application() -> Flask:
    """Build the app from the environment, e.g. `gunicorn --threads 8 "ris.wsgi:application()"`."""
    return app_of(config.from_env())


def app_of(settings: config.Settings) -> Flask:
    """Build the app from settings. It answers at once; the models load in the background."""
    assembled = assembly.assemble(settings)
    password = settings.basic_auth_password
    auth = (settings.basic_auth_user, password.get_secret_value()) if password else None
    backend = backend_of(assembled, settings)
    app = create_app(backend, basic_auth=auth)
    app.extensions["ris"] = assembled
    return app


def backend_of(assembled: assembly.Assembled, settings: config.Settings) -> Backend:
    """What the routes call, of what was assembled."""
    return Backend(
        assembled.suggesting,
        assembled.recording,
        assembled.refining,
        deadline_s=settings.deadline_s,
        train=assembled.training.start,
        synced=lambda: tuple(assembled.syncing.last.values()),
        delivering=assembled.delivering,
    )
