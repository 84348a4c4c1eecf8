"""The WSGI application, for `ris serve` and for other servers."""

import logging

from flask import Flask

from ris import assembly, config
from ris.web.app import create_app
from ris.web.handlers import Services
from ris.web.hosts import make_host_rules

log = logging.getLogger(__name__)


def application() -> Flask:
    """Build the app from the environment, e.g. `gunicorn --threads 8 "ris.wsgi:application()"`."""
    return assemble_app(config.read_settings())


def assemble_app(settings: config.Settings) -> Flask:
    """Build the app from settings. It answers at once; the models load in the background.

    Raises:
        SettingsError: other machines could call it without a password, or an allowed host is none.
    """
    config.check_listening(settings)
    hosts = make_host_rules(
        settings.host, is_loopback=settings.is_loopback, own_url=settings.own_url,
        allowed=settings.allowed_hosts,
    )  # fmt: skip
    assembled = assembly.assemble(settings)
    backend = make_services(assembled, settings)
    app = create_app(
        backend, basic_auth=settings.login, hosts=hosts, allow_anonymous=settings.allow_anonymous
    )
    app.extensions["ris"] = assembled
    return app


def make_services(assembled: assembly.Application, settings: config.Settings) -> Services:
    """Return the services of an application that the routes call."""
    return Services(
        assembled.suggesting,
        assembled.recording,
        assembled.refining,
        deadline_s=settings.deadline_s,
        start_training=assembled.training.start,
        get_last_syncs=lambda: tuple(assembled.syncing.last_results.values()),
        delivering=assembled.delivering,
        check_label_studio=lambda: assembly.check_label_studio_key(settings),
        studio_url=settings.label_studio_public_url or settings.label_studio_url,
        vlm_usage=assembled.vlm_usage,
    )
