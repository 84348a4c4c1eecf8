import pytest


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """They are run when they are asked for, with `-m gpu`: without a GPU there is nothing to compare."""
    return None if "gpu" in config.option.markexpr else True
