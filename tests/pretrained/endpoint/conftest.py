import pytest

from tests.builders.vlm_server import VlmServer


@pytest.fixture
def server():
    with VlmServer() as server:
        server.says = str.upper
        yield server


@pytest.fixture
def pauses():
    return []
