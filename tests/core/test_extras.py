import sys

import pytest

from ris.core.extras import is_installed, require_extra
from ris.errors import SettingsError


def test_what_is_installed_raises_nothing():
    require_extra("parquet", "pyarrow", "this test")


def test_what_is_missing_is_one_sentence_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert not is_installed("pyarrow")
    with pytest.raises(SettingsError) as caught:
        require_extra("parquet", "pyarrow", "the format huggingface")
    assert str(caught.value) == (
        "the format huggingface needs pyarrow: pip install 'referring-segmentation-backend[parquet]'"
    )
