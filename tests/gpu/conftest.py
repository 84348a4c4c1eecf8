import pytest


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Collect these tests with `-m gpu` only; they need a GPU."""
    return None if "gpu" in config.option.markexpr else True
