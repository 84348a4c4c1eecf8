"""The page of networks says what the code says of each network and preset."""

from pathlib import Path

import pytest

from ris.pretrained.catalog.presets import PRESETS

PAGE = (Path(__file__).parents[2] / "docs" / "networks.md").read_text()
FETCHED = {source.name: source for preset in PRESETS.values() for source in preset.sources if source.parts}


@pytest.mark.parametrize("name", FETCHED)
def test_a_network_has_its_size_its_memory_and_its_licence(name):
    source = FETCHED[name]
    size, memory = f"{source.parameters_m:.1f}", f"{source.memory_mb / 1e3:.2f} GB"

    assert f"| `{name}` | {size} | {memory} | {source.licence} |" in PAGE


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_its_memory_its_download_and_its_licences(name):
    preset = PRESETS[name]
    all_gb = sum(source.memory_mb for source in preset.sources) / 1e3
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))

    describer_gb = preset.describer.memory_mb / 1e3 if preset.describer else 0
    download = f"{preset.download_gb:.1f} GB" if preset.download_gb else "none"
    assert f"| {all_gb:.2f} GB | {describer_gb:.2f} GB | {download} |" in row
    if not preset.name.startswith("paper-"):
        assert ", ".join(dict.fromkeys(source.licence for source in preset.sources)) in row
