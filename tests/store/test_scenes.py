import dataclasses
import os

import numpy as np
import pytest

from ris.errors import StoreError
from ris.service import SceneCache
from ris.store.scenes import SceneFiles
from tests.builders.masks import make_scene, rectangle

SIZE = (8, 9)


def scene(digest="ab" * 32, n_features=10):
    made = make_scene(
        rectangle(SIZE, 0, 0, 4, 4), rectangle(SIZE, 2, 2, 9, 8),
        features={
            "lgd": {"crop.x": np.arange(n_features, dtype=np.float32).reshape(1, -1)},
            "iterprime": {"sizes": np.array([1, 2], np.int64)}, "spatial": {},
        },
    )  # fmt: skip
    return dataclasses.replace(made, digest=digest)


def assert_same(found, wanted):
    assert (found.digest, found.size, found.masks, found.boxes) == (
        wanted.digest, wanted.size, wanted.masks, wanted.boxes,
    )  # fmt: skip
    np.testing.assert_array_equal(found.quality, wanted.quality)
    assert set(found.features) == set(wanted.features)
    for method, seen in wanted.features.items():
        assert set(found.features[method]) == set(seen)
        for name, array in seen.items():
            assert found.features[method][name].dtype == array.dtype
            np.testing.assert_array_equal(found.features[method][name], array)


@pytest.fixture
def files(tmp_path):
    return SceneFiles(tmp_path / "scenes", "tiny-1", 10**6)


def test_a_scene_comes_back_as_it_was_also_for_another_process(files, tmp_path):
    files.put(scene())

    assert_same(SceneFiles(tmp_path / "scenes", "tiny-1", 10**6).get("ab" * 32), scene())
    assert files.get("cd" * 32) is None


def test_a_scene_without_anything_on_it_comes_back_too(files):
    empty = make_scene()
    files.put(empty)

    assert_same(files.get(empty.digest), empty)


def test_another_version_sees_for_itself(files, tmp_path):
    files.put(scene())

    assert SceneFiles(tmp_path / "scenes", "tiny-2", 10**6).get("ab" * 32) is None


@pytest.mark.parametrize("damage", ["flipped", "short", "empty"])
def test_a_damaged_file_is_deleted_and_not_believed(files, tmp_path, caplog, damage):
    files.put(scene())
    (path,) = (tmp_path / "scenes").rglob("*.scene")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"flipped": data, "short": data[:40], "empty": b""}[damage])

    assert files.get("ab" * 32) is None
    assert not path.exists()
    assert "is damaged; it is deleted, and its scene is computed again" in caplog.text


def test_the_folder_holds_so_much_and_what_was_not_used_goes_first(tmp_path):
    one = SceneFiles(tmp_path / "one", "v", 10**6)
    one.put(scene())
    (path,) = (tmp_path / "one").rglob("*.scene")
    files = SceneFiles(tmp_path / "scenes", "v", int(2.5 * path.stat().st_size))
    digests = [letter * 64 for letter in "abc"]
    for number, digest in enumerate(digests[:2]):
        files.put(scene(digest))
        os.utime(tmp_path / "scenes" / "v" / f"{digest}.scene", ns=(number, number))
    files.get(digests[0])
    files.put(scene(digests[2]))

    assert [files.get(digest) is not None for digest in digests] == [True, False, True]


def test_memory_asks_the_files_and_both_are_counted(files):
    first = SceneCache(10**6, files)
    first.put(scene())
    restarted = SceneCache(10**6, files)

    assert_same(restarted.get("ab" * 32), scene())
    assert restarted.get("cd" * 32) is None
    assert (len(restarted), restarted.n_hits, restarted.n_misses) == (1, 1, 1)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="RIS_SCENE_FOLDER .* cannot be created"):
        SceneFiles(tmp_path / "file" / "scenes", "v", 1)
