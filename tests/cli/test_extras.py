"""A missing extra is one sentence: what needs it, and how to install it."""

import re
import sys

import pytest
from typer.testing import CliRunner

from ris.batch.cluster import RayEngine
from ris.cli import root_app
from ris.errors import SettingsError
from ris.export.formats import EXPORT_FORMATS
from ris.export.selection import ExportOptions
from ris.export.validate import validate_export
from ris.store.session import upgrade_database


@pytest.fixture
def block(monkeypatch):
    """Make a package look as if it were not installed."""

    def block(name):
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, name, None)

    return block


def to_sentence(user, package, extra):
    return f"^{user} needs {package}: pip install 'referring-segmentation-backend\\[{extra}\\]'$"


def test_the_ray_engine_needs_ray(block):
    block("ray")

    with pytest.raises(SettingsError, match=to_sentence("--engine ray", "ray", "ray")):
        RayEngine(int, int, 1, address=None)


def test_the_huggingface_format_needs_pyarrow(block, tmp_path):
    block("pyarrow")

    with pytest.raises(SettingsError, match=to_sentence("the format huggingface", "pyarrow", "parquet")):
        EXPORT_FORMATS["huggingface"].write(None, tmp_path)


def test_validating_the_huggingface_format_needs_pyarrow(block, tmp_path):
    block("pyarrow")

    (found,) = validate_export(tmp_path, ExportOptions(["huggingface"]), None)["huggingface"]

    assert re.match(to_sentence("the format huggingface", "pyarrow", "parquet"), found)


@pytest.mark.parametrize("arguments", [["refcoco", "data"], ["refcoco-table", "results"]])
def test_the_refcoco_benchmark_needs_pyarrow(block, arguments):
    block("pyarrow")

    ran = CliRunner().invoke(root_app, ["benchmark", *arguments])

    assert str(ran.exception) == (
        "ris benchmark refcoco needs pyarrow: pip install 'referring-segmentation-backend[parquet]'"
    )


def test_an_export_of_all_formats_leaves_out_the_one_that_lacks_its_extra_and_says_so(
    block, tmp_path, monkeypatch
):
    block("pyarrow")
    monkeypatch.setenv("RIS_DATABASE_URL", f"sqlite:///{tmp_path / 'ris.db'}")
    upgrade_database(f"sqlite:///{tmp_path / 'ris.db'}")

    ran = CliRunner().invoke(root_app, ["export", "--out", str(tmp_path / "out")])

    assert ran.exit_code == 0, ran.output
    assert "left out: the format huggingface needs pyarrow" in ran.output
    assert (tmp_path / "out" / "coco.json").exists()
    assert not (tmp_path / "out" / "huggingface").exists()
