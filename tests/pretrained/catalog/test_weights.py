import shutil
from dataclasses import replace

import pytest

from ris.errors import WeightsError
from ris.pretrained.catalog.presets import TINY, TINY_FOLDER
from ris.pretrained.catalog.sources import Source, WebFile
from ris.pretrained.catalog.weights import check_model_files, verify_files, write_manifest

LIMIT_MB = 35
FETCH = "ris models fetch base"


@pytest.fixture
def sam(tmp_path):
    """The embedded SAM as if it were installed elsewhere."""
    return replace(TINY.masks, folder=shutil.copytree(TINY.masks.folder, tmp_path / "sam"))


@pytest.fixture
def fetched(tmp_path):
    source = Source("net", "sam", parts=(WebFile("https://example.org/net.pth", None, 3),))
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "net.pth").write_bytes(b"abc")
    write_manifest(tmp_path / "net")
    return source


def test_the_shipped_files_are_the_ones_of_their_manifests(tmp_path):
    assert len(check_model_files(TINY.sources, tmp_path, fetch="")) == 64


def test_a_damaged_file_is_named(sam, tmp_path):
    path = sam.folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)

    with pytest.raises(WeightsError, match=r"sam.model\.safetensors is damaged or was changed; install"):
        check_model_files([sam], tmp_path, fetch="")


def test_a_missing_file_is_named(sam, tmp_path):
    (sam.folder / "config.json").unlink()

    with pytest.raises(WeightsError, match=r"sam.config\.json is missing; install the package again"):
        check_model_files([sam], tmp_path, fetch="")


def test_other_weights_have_another_digest(sam, tmp_path):
    before = check_model_files([sam], tmp_path, fetch="")
    (sam.folder / "config.json").write_text("{}")
    write_manifest(sam.folder)

    assert check_model_files([sam], tmp_path, fetch="") != before


def test_a_network_that_was_not_fetched_says_the_command_that_gets_it(fetched, tmp_path):
    with pytest.raises(
        WeightsError, match=r"model weights not found in .*elsewhere.net; get it with `ris models fetch base`"
    ):
        check_model_files([fetched], tmp_path / "elsewhere", fetch=FETCH)


def test_at_the_start_of_fetched_networks_only_the_lengths_are_looked_at(fetched, tmp_path):
    before = check_model_files([fetched], tmp_path, fetch=FETCH)
    (tmp_path / "net" / "net.pth").write_bytes(b"abd")

    assert check_model_files([fetched], tmp_path, fetch=FETCH) == before
    with pytest.raises(WeightsError, match=r"net\.pth is damaged or was changed; get it again"):
        verify_files(tmp_path / "net", "get it again")


def test_a_fetched_file_that_was_cut_short_is_seen_at_the_start(fetched, tmp_path):
    (tmp_path / "net" / "net.pth").write_bytes(b"ab")

    with pytest.raises(WeightsError, match=r"net\.pth was cut short or changed; get it with"):
        check_model_files([fetched], tmp_path, fetch=FETCH)


def test_a_folder_copied_to_a_machine_without_a_network_is_as_good(fetched, tmp_path):
    before = check_model_files([fetched], tmp_path, fetch=FETCH)
    shutil.copytree(tmp_path / "net", tmp_path / "elsewhere" / "net")

    assert check_model_files([fetched], tmp_path / "elsewhere", fetch=FETCH) == before


@pytest.mark.parametrize("said", ["{", "[]", '{"net.pth": "abc"}', '{"net.pth": {"sha256": "a"}}'])
def test_a_damaged_manifest_is_one_sentence(fetched, tmp_path, said):
    (tmp_path / "net" / "manifest.json").write_text(said)

    with pytest.raises(WeightsError, match=r"manifest\.json is damaged; get it with `ris models fetch base`"):
        check_model_files([fetched], tmp_path, fetch=FETCH)


def test_a_folder_of_ones_own_needs_no_manifest_and_a_changed_file_is_another_network(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.safetensors").write_bytes(b"abc")
    mine = Source("mine", "clip", folder=tmp_path / "mine")
    before = check_model_files([mine], tmp_path, fetch="")

    (tmp_path / "mine" / "model.safetensors").write_bytes(b"abcd")

    assert check_model_files([mine], tmp_path, fetch="") != before


def test_a_folder_of_ones_own_that_is_not_there_is_named(tmp_path):
    mine = Source("mine", "clip", folder=tmp_path / "mine")

    with pytest.raises(WeightsError, match="the network 'mine' of your presets is not at .*mine; correct"):
        check_model_files([mine], tmp_path, fetch="")


def test_the_embedded_family_stays_small():
    size_mb = sum(p.stat().st_size for p in TINY_FOLDER.rglob("*") if p.is_file()) / 1e6

    assert size_mb < LIMIT_MB
