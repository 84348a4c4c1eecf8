import shutil

import pytest
from safetensors.torch import load_file, save_file
from transformers import BlipForConditionalGeneration

from ris.errors import WeightsError
from ris.pretrained.catalog.presets import TINY_FOLDER
from ris.pretrained.hf_loading import load_complete_network


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(TINY_FOLDER / "describer", tmp_path / "describer")


def test_weights_that_are_missing_are_an_error_and_never_random(folder):
    weights = load_file(folder / "model.safetensors")
    weights.pop(next(name for name in weights if name.endswith("query.weight")))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(
        WeightsError, match="lacks 1 weights, such as .*query.weight; fetch or install it again"
    ):
        load_complete_network(BlipForConditionalGeneration, folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()

    with pytest.raises(WeightsError, match=f"the model lacks .*{name}"):
        load_complete_network(BlipForConditionalGeneration, folder)
