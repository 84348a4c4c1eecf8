import shutil
from dataclasses import replace

import pytest

from backend.errors import WeightsError
from backend.pretrained.presets import TINY
from backend.pretrained.weights import verify, write_manifest

LIMIT_MB = 35


@pytest.fixture
def preset(tmp_path):
    return replace(TINY, folder=shutil.copytree(TINY.folder, tmp_path / "tiny"))


def test_the_shipped_files_are_the_ones_of_the_manifest():
    assert len(verify(TINY)) == 64


def test_a_damaged_file_is_named(preset):
    path = preset.folder / "sam" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)

    with pytest.raises(WeightsError, match=r"sam.model\.safetensors is damaged or was changed; install"):
        verify(preset)


def test_a_missing_file_is_named(preset):
    (preset.folder / "clip" / "tokenizer.json").unlink()

    with pytest.raises(WeightsError, match=r"clip.tokenizer\.json is missing; install the package again"):
        verify(preset)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(WeightsError, match="the models of preset 'tiny' are not at"):
        verify(replace(TINY, folder=tmp_path / "nothing"))


def test_other_weights_have_another_digest(preset):
    before = verify(preset)
    (preset.folder / "sam" / "config.json").write_text("{}")
    write_manifest(preset.folder)

    assert verify(preset) != before


def test_the_embedded_family_stays_small():
    size_mb = sum(p.stat().st_size for p in TINY.folder.rglob("*") if p.is_file()) / 1e6

    assert size_mb < LIMIT_MB
