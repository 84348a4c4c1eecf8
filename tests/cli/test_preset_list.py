"""The table of presets."""

import json

import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from ris.pretrained.catalog.presets import PRESETS


def list_presets(monkeypatch, *options, **env):
    monkeypatch.setattr("ris.cli.preset_list.measure_product_rate", lambda: 0.1)
    monkeypatch.setattr(
        "ris.cli.preset_list.measure_preset", lambda settings, preset: {"tiny": 2.347}[preset]
    )
    ran = CliRunner().invoke(root_app, ["models", "list", "--json", *options], env=env)
    return {one["preset"]: one for one in json.loads(ran.stdout)["presets"]}, ran


def test_every_preset_has_its_size_its_memory_and_seconds_that_say_how_they_are_known(monkeypatch):
    found, ran = list_presets(monkeypatch)

    base = {key: found["base"][key] for key in ("download_gb", "memory_gb", "cpu_s", "gpu_s")}
    assert base == {"download_gb": 6.14, "memory_gb": 6.14, "cpu_s": 29.0, "gpu_s": 0.025}
    assert found["base"]["basis"].startswith("CPU: estimated by a self-test of this machine")
    assert (found["paper"]["cpu_s"], found["paper"]["basis"]) == (None, "not measured")
    assert (found["paper"]["download_gb"], found["paper"]["memory_gb"]) == (21.64, 19.06)
    assert found["tiny"]["cpu_s"] == 1.2
    assert "`ris models list --measure`" in ran.stderr


@pytest.mark.parametrize(
    ("device", "column", "basis"),
    [
        ("cpu", "cpu_s", "CPU: measured here; GPU: not measured"),
        ("cuda", "gpu_s", "CPU: not measured; GPU: measured here on cuda"),
    ],
)
def test_presets_that_are_here_are_measured_on_their_device(monkeypatch, device, column, basis):
    monkeypatch.setattr("ris.planning.PRESETS", {name: PRESETS[name] for name in ("tiny", "base")})
    found, _ = list_presets(monkeypatch, "--measure", RIS_DEVICE=device)

    assert found["tiny"][column] == 2.35
    assert found["tiny"]["basis"] == basis
    assert found["base"]["cpu_s"] == 29.0  # it is not here
