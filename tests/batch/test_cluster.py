"""On a Ray cluster of two nodes of this machine: nothing is lost or doubled, whatever is killed."""

import os
import signal
import sys
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster as RayCluster

from ris.batch.cluster import RayEngine
from ris.batch.run_folder import RunFolder
from ris.batch.shard import find_shards, read_shard_rows
from ris.errors import SettingsError, WeightsError
from tests.batch.fakes import MAKE, MAKE_AND_DIE, MAKE_FETCHER, MAKE_NOTHING, write_manifest

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]
KILLED = "3 workers died while they processed its image, perhaps for lack of memory"


@pytest.fixture
def two_nodes(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "backend"), *sys.path]))
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    cluster = RayCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster, second
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def folder(tmp_path):
    with RunFolder(tmp_path, "1.1") as folder:
        yield folder


def run(cluster, folder, *, make=MAKE, count=2, limit_s=60, after=None):
    """Run the manifest; return the shards. `after` is called with the number of shards so far."""
    engine = RayEngine(MAKE_FETCHER, make, count, address=cluster.address, limit_s=limit_s)
    shards = []
    for shard in engine.run(folder):
        shards.append(shard.path)
        if after is not None:
            after(len(shards))
    assert sorted(shards) == find_shards(folder.shards)
    return shards


def read_failures(folder):
    """Return the failure of each image, and check that each is in one shard once."""
    rows = [row for path in find_shards(folder.shards) for row in read_shard_rows(path)[1]]
    failures = {row["image"]: row["tasks"][0]["failure"] for row in rows}
    assert len(rows) == len(failures)
    return failures


def test_every_image_is_in_one_shard_though_a_node_is_killed_midway(two_nodes, folder):
    cluster, second = two_nodes
    images = [f"image {number}" for number in range(40)]
    write_manifest(folder, images)

    def kill_node(n_shards):
        if n_shards == 3:
            cluster.remove_node(second, allow_graceful=False)
            cluster.add_node(num_cpus=1)

    run(cluster, folder, after=kill_node)

    assert read_failures(folder) == dict.fromkeys(images, "")


def find_actors():
    """Return the process ids of the actors of Ray Data that run the networks; Ray names processes so."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"LabelStage" in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # it ended meanwhile
            continue
    return found


def test_every_image_is_in_one_shard_though_workers_are_killed_midway(two_nodes, folder):
    cluster, _ = two_nodes
    images = [f"image {number}" for number in range(40)]
    write_manifest(folder, images)
    killed = []

    def kill_workers(n_shards):
        if n_shards in (2, 6):
            for pid in find_actors():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    run(cluster, folder, after=kill_workers)

    assert len(killed) >= 2
    assert read_failures(folder) == dict.fromkeys(images, "")
    assert list(folder.marks.iterdir()) == []


def test_an_image_with_a_fault_fails_by_itself_and_the_run_goes_on(two_nodes, folder):
    cluster, _ = two_nodes
    images = ["a", "deadly", "hung", "b", "deadly network", "hung network", "raising", "gone"]
    write_manifest(folder, images, 4)

    run(cluster, folder, limit_s=5)

    advice = "did not finish within 5 s; correct what hangs, or raise --time-limit"
    assert read_failures(folder) == {
        "a": "",
        "b": "",
        "deadly": KILLED,
        "deadly network": KILLED,
        "hung": f"fetching and decoding its image {advice}",
        "hung network": f"the networks, on its image, {advice}",
        "raising": "an error of this program, please report it: ValueError('7 is not a colour')",
        "gone": "cannot fetch the image of task 8: Label Studio answered 404",
    }


def test_actors_that_the_cluster_has_no_room_for_keep_nobody_waiting(two_nodes, folder):
    cluster, _ = two_nodes
    images = [f"image {number}" for number in range(12)]
    write_manifest(folder, images)

    run(cluster, folder, count=5)

    assert read_failures(folder) == dict.fromkeys(images, "")


def test_workers_that_cannot_start_end_the_run_with_a_sentence(two_nodes, folder):
    cluster, _ = two_nodes
    write_manifest(folder, ["a"])

    with pytest.raises(WeightsError, match="file x is missing"):
        run(cluster, folder, make=MAKE_NOTHING)
    with pytest.raises(SettingsError, match="die as they start, with exit status 9, .* every node has this"):
        run(cluster, folder, make=MAKE_AND_DIE)


def test_workers_without_the_folder_of_the_run_end_it_with_a_sentence(two_nodes, folder):
    cluster, _ = two_nodes
    write_manifest(folder, ["a"])
    folder.marks.rmdir()

    with pytest.raises(SettingsError, match="the Ray cluster failed: FileNotFoundError: .*folder of --work"):
        run(cluster, folder)


def test_a_cluster_that_is_not_there_is_one_sentence():
    with pytest.raises(SettingsError, match=r"the Ray cluster at 127\.0\.0\.1:9 does not answer"):
        RayEngine(MAKE_FETCHER, MAKE, 1, address="127.0.0.1:9")
