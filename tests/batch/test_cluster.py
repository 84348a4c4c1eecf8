"""On a Ray cluster of two nodes of this machine: the same, also when a node is killed."""

import os
import sys
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster as RayCluster

from ris.batch.cluster import RayEngine
from ris.batch.plan import group_tasks
from ris.errors import SettingsError, WeightsError
from tests.batch.fakes import MAKE, MAKE_AND_DIE, MAKE_NOTHING, tasks

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]


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


def test_every_piece_is_done_once_though_a_node_is_killed_midway(two_nodes):
    cluster, second = two_nodes
    images = [f"image {number}" for number in range(30)]
    engine = RayEngine(MAKE, 2, address=cluster.address)

    found = []
    for one in engine.run(group_tasks(tasks(*images))):
        found.append(one)
        if len(found) == 6:
            cluster.remove_node(second, allow_graceful=False)
            cluster.add_node(num_cpus=1)

    assert sorted(f.group.image_url for f in found) == sorted(images)
    assert {f.failures for f in found} == {("",)}


def test_what_kills_actors_and_what_cannot_start_is_said(two_nodes):
    cluster, _ = two_nodes
    engine = RayEngine(MAKE, 2, address=cluster.address)

    found = {f.group.image_url: f.failures for f in engine.run(group_tasks(tasks("a", "deadly", "b", "c")))}

    assert found.pop("deadly") == (
        "3 workers died while they processed its image, perhaps for lack of memory",
    )
    assert set(found.values()) == {("",)}
    with pytest.raises(WeightsError, match="file x is missing"):
        list(RayEngine(MAKE_NOTHING, 1, address=cluster.address).run(group_tasks(tasks("a"))))


def test_actors_that_the_cluster_has_no_room_for_keep_nobody_waiting(two_nodes):
    cluster, _ = two_nodes
    images = [f"image {number}" for number in range(12)]

    found = list(RayEngine(MAKE, 5, address=cluster.address).run(group_tasks(tasks(*images))))

    assert sorted(f.group.image_url for f in found) == sorted(images)


def test_actors_that_die_as_they_start_end_the_run_with_a_sentence(two_nodes):
    cluster, _ = two_nodes

    with pytest.raises(SettingsError, match="die as they start: .*; every node needs this package"):
        list(RayEngine(MAKE_AND_DIE, 1, address=cluster.address).run(group_tasks(tasks("a"))))


def test_a_cluster_that_is_not_there_is_one_sentence():
    with pytest.raises(SettingsError, match=r"the Ray cluster at 127\.0\.0\.1:9 does not answer"):
        RayEngine(MAKE, 1, address="127.0.0.1:9")
