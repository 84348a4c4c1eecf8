"""Fixtures: the routes over services of fakes."""

import pytest

from ris.web.app import create_app


@pytest.fixture
def client(backend):
    return create_app(backend).test_client()
