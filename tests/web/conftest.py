"""The routes over a service of fakes that behave."""

import pytest

from ris.service import RefinementService
from ris.web.app import create_app
from ris.web.handlers import Services
from tests.service.conftest import database, gate, images, recording, suggesting

__all__ = ["database", "gate", "images", "recording", "suggesting"]


@pytest.fixture
def refining(suggesting, images):
    return RefinementService(suggesting.worker, suggesting, images)


@pytest.fixture
def backend(suggesting, recording, refining):
    return Services(suggesting, recording, refining, deadline_s=60, train=lambda: True)


@pytest.fixture
def client(backend):
    return create_app(backend).test_client()
