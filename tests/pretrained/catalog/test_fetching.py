import io
import json
import zipfile
from dataclasses import replace

import pytest
from huggingface_hub import constants

from ris.errors import WeightsError
from ris.pretrained.catalog import fetching
from ris.pretrained.catalog.sources import HubFiles, Source, WebFile
from ris.pretrained.catalog.weights import MANIFEST_FILE, check_model_files, verify_files
from tests.pretrained.hub import Hub, digest, serving

WEIGHTS = bytes(range(256)) * 9000  # 2.3 MB: more than one piece
CONFIG = b'{"model_cfg": {}}'
HUB_FILES = HubFiles("us/clip", "0" * 40, files=("*.json",), weights=("*.safetensors", "*.bin"))


@pytest.fixture
def hub():
    files = {
        "us/clip/config.json": CONFIG,
        "us/clip/model.safetensors": WEIGHTS,
        "us/clip/model.bin": b"a pickle",
        "us/clip/README.md": b"words",
        "sam.pth": WEIGHTS,
    }
    with serving(Hub(files)) as running:
        yield running


def of_web(hub, **changed):
    file = WebFile(f"{hub.url}/sam.pth", digest(WEIGHTS), len(WEIGHTS))
    return Source("sam", "sam", parts=(replace(file, **changed),))


def got(source, models, hub, **where):
    told = []
    files = fetching.list_required_files(source, endpoint=hub.url)
    folder = fetching.fetch_source(
        source, files, models, lambda *said: told.append(said), endpoint=hub.url, **where
    )  # fmt: skip
    return folder, told


def test_safetensors_are_taken_before_pickles_and_nothing_that_was_not_asked_for(hub, tmp_path):
    folder, _ = got(Source("clip", "clip", parts=(HUB_FILES,)), tmp_path, hub)

    assert sorted(p.name for p in folder.iterdir()) == ["config.json", MANIFEST_FILE, "model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


def test_where_there_are_no_safetensors_the_next_choice_is_taken(hub, tmp_path):
    del hub.files["us/clip/model.safetensors"]

    folder, _ = got(Source("clip", "clip", parts=(HUB_FILES,)), tmp_path, hub)

    assert (folder / "model.bin").read_bytes() == b"a pickle"


def test_sizes_and_digests_are_known_before_the_first_byte(hub):
    files = fetching.list_required_files(Source("clip", "clip", parts=(HUB_FILES,)), endpoint=hub.url)

    assert [(f.name, f.n_bytes, f.sha256) for f in files] == [
        ("config.json", len(CONFIG), None), ("model.safetensors", len(WEIGHTS), digest(WEIGHTS)),
    ]  # fmt: skip
    assert not any("resolve" in path for _, path, _ in hub.asked)


def test_a_fetched_network_passes_the_check_and_the_digest(hub, tmp_path):
    source = Source("clip", "clip", parts=(HUB_FILES,))

    folder, _ = got(source, tmp_path, hub)

    assert len(check_model_files([source], tmp_path, fetch="")) == 64
    assert verify_files(folder, "")["model.safetensors"] == digest(WEIGHTS)


def test_another_file_under_the_published_name_is_refused_before_it_is_loaded(hub):
    source = Source("clip", "clip", parts=(replace(HUB_FILES, sha256="ab" * 32),))

    with pytest.raises(
        WeightsError, match=r"model\.safetensors on the Hub is not the published file: its sha256 begins"
    ):
        fetching.list_required_files(source, endpoint=hub.url)


def test_a_repository_without_any_of_the_weights_says_so(hub):
    source = Source("clip", "clip", parts=(replace(HUB_FILES, weights=("*.onnx",)),))

    with pytest.raises(WeightsError, match=r"us/clip at 00000000 has none of \*\.onnx"):
        fetching.list_required_files(source, endpoint=hub.url)


def test_a_hub_that_does_not_answer_is_one_sentence(tmp_path):
    with pytest.raises(WeightsError, match="cannot reach us/clip on the model hub "):
        fetching.list_required_files(
            Source("clip", "clip", parts=(HUB_FILES,)), endpoint="http://127.0.0.1:9"
        )


def test_offline_nobody_is_asked_and_copying_is_the_advice(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(
        WeightsError, match="HF_HUB_OFFLINE is set, so clip cannot be fetched; unset it, or copy"
    ):
        fetching.list_required_files(Source("clip", "clip", parts=(HUB_FILES,)), endpoint=hub.url)

    assert hub.asked == []


def test_a_broken_connection_keeps_what_came_and_the_next_try_goes_on_there(hub, tmp_path):
    source = of_web(hub)
    hub.breaks_after = 1_500_000

    with pytest.raises(
        WeightsError, match=r"sam\.pth cannot be downloaded: .*; run the command again, it resumes"
    ):
        got(source, tmp_path, hub)
    folder, told = got(source, tmp_path, hub)

    firsts = [first for method, path, first in hub.asked if path == "sam.pth"]
    assert firsts[0] == 0 and 1_000_000 <= firsts[1] <= 1_500_000
    assert (folder / "sam.pth").read_bytes() == WEIGHTS
    assert told[-1] == ("sam.pth", len(WEIGHTS), len(WEIGHTS))


def test_a_half_fetched_network_is_not_taken_for_a_whole_one(hub, tmp_path):
    source = of_web(hub)
    hub.breaks_after = 1000

    with pytest.raises(WeightsError):
        got(source, tmp_path, hub)

    with pytest.raises(
        WeightsError, match=r"model weights not found in .*; get it with .ris models fetch base"
    ):
        check_model_files([source], tmp_path, fetch="ris models fetch base")


def test_a_file_that_is_not_the_published_one_is_deleted(hub, tmp_path):
    source = of_web(hub, sha256="cd" * 32)

    with pytest.raises(WeightsError, match=r"sam\.pth is not the published file: its sha256 begins with"):
        got(source, tmp_path, hub)

    assert not (tmp_path / "sam" / "sam.pth").exists()


def test_a_file_put_there_by_hand_is_not_fetched_again(hub, tmp_path):
    (tmp_path / "sam").mkdir()
    (tmp_path / "sam" / "sam.pth").write_bytes(WEIGHTS)

    got(of_web(hub), tmp_path, hub)

    assert hub.asked == []
    assert (tmp_path / "sam" / MANIFEST_FILE).is_file()


def test_a_mirror_has_the_files_of_the_web_by_their_names(hub, tmp_path):
    elsewhere = WebFile("https://nowhere.invalid/weights/sam.pth", digest(WEIGHTS), len(WEIGHTS))

    folder, _ = got(Source("sam", "sam", parts=(elsewhere,)), tmp_path, hub, mirror=f"{hub.url}/")

    assert (folder / "sam.pth").read_bytes() == WEIGHTS


def archive(*names):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in names:
            file.writestr(name, name)
    return packed.getvalue()


def test_a_wheel_is_unpacked_to_the_folder_that_is_wanted(hub, tmp_path):
    hub.files["en.whl"] = archive(
        "en/__init__.py", "en/en-3.8/config.cfg", "en/en-3.8/parser/model", "en.dist/RECORD"
    )
    file = WebFile(f"{hub.url}/en.whl", None, 1000, unpacked="en/en-3.8")

    folder, _ = got(Source("parser", "spacy", parts=(file,)), tmp_path, hub)

    assert sorted(json.loads((folder / MANIFEST_FILE).read_text())) == ["config.cfg", "parser/model"]


def test_an_archive_cannot_write_outside_of_its_folder(hub, tmp_path):
    hub.files["en.whl"] = archive("en/en-3.8/../../../evil")
    file = WebFile(f"{hub.url}/en.whl", None, 1000, unpacked="en/en-3.8")

    with pytest.raises(WeightsError, match="a path outside of its folder"):
        got(Source("parser", "spacy", parts=(file,)), tmp_path, hub)

    assert not (tmp_path.parent / "evil").exists()


def test_the_token_of_the_hub_does_not_follow_a_redirect_to_another_host(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serving(Hub(hub.files)) as other:
        hub.moved_to = other.url.replace("127.0.0.1", "localhost")
        got(Source("clip", "clip", parts=(HUB_FILES,)), tmp_path / "models", hub)

    assert set(hub.keys) == {"Bearer hf_secret"}
    assert other.asked
    assert set(other.keys) == {None}
