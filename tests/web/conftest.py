"""The routes over a service of fakes that behave."""

import pytest

from ris.web.app import create_app


@pytest.fixture
def client(backend):
    return create_app(backend).test_client()
