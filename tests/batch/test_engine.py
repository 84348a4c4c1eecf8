"""Processes do all of the work once, whatever happens to them."""

import pytest

from ris.batch.engine import ProcessEngine
from ris.batch.run_folder import RunFolder
from ris.batch.shard import find_shards, read_shard_rows
from ris.errors import SettingsError, WeightsError
from tests.batch.fakes import MAKE, MAKE_AND_DIE, MAKE_FETCHER, MAKE_NOTHING, write_manifest

KILLED = "3 workers died while they processed its image, perhaps for lack of memory"


def run(base, images, *, make=MAKE, workers=2, limit_s=60, n_images=2):
    """Return the failure of each image, and check that each is in one shard once."""
    engine = ProcessEngine(MAKE_FETCHER, make, workers, limit_s=limit_s)
    with RunFolder(base, "1.1") as folder:
        write_manifest(folder, images, n_images)

        shards = list(engine.run(folder))

        assert sorted(shard.path for shard in shards) == find_shards(folder.shards)
        rows = [row for path in find_shards(folder.shards) for row in read_shard_rows(path)[1]]
    assert sorted(row["image"] for row in rows) == sorted(images)
    return {row["image"]: row["tasks"][0]["failure"] for row in rows}


def test_every_image_is_done_once(tmp_path):
    images = [f"image {number}" for number in range(9)]

    assert set(run(tmp_path, images).values()) == {""}


def test_an_image_whose_worker_died_once_is_done_again(tmp_path):
    failures = run(tmp_path, ["a", f"once {tmp_path / 'first'}", "b", "c", "d"])

    assert set(failures.values()) == {""}


def test_an_image_with_a_fault_fails_by_itself_and_the_run_goes_on(tmp_path):
    images = ["a", "deadly", "b", "gone", "deadly network", "c", "raising", "raising network", "d"]

    failures = run(tmp_path, images, n_images=4)

    assert {image: failures.pop(image) for image in images if len(image) > 1} == {
        "deadly": KILLED,
        "deadly network": KILLED,
        "gone": "cannot fetch the image of task 4: Label Studio answered 404",
        "raising": "an error of this program, please report it: ValueError('7 is not a colour')",
        "raising network": "an error of this program, please report it: ValueError('no such layer')",
    }
    assert failures == dict.fromkeys("abcd", "")


def test_an_image_that_hangs_fails_after_the_time_limit_and_the_run_goes_on(tmp_path):
    failures = run(tmp_path, ["a", "hung", "b", "hung network", "c"], limit_s=5)

    advice = "did not finish within 5 s; correct what hangs, or raise --time-limit"
    assert failures == {
        **dict.fromkeys("abc", ""),
        "hung": f"fetching and decoding its image {advice}",
        "hung network": f"the networks, on its image, {advice}",
    }


def test_workers_that_cannot_start_stop_the_run_with_the_reason(tmp_path):
    with pytest.raises(WeightsError, match="file x is missing"):
        run(tmp_path, ["a", "b"], make=MAKE_NOTHING)


def test_workers_that_die_as_they_start_stop_the_run_with_a_sentence(tmp_path):
    with pytest.raises(SettingsError, match="die as they start, with exit status 9"):
        run(tmp_path, ["a"], make=MAKE_AND_DIE)
