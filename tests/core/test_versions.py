import pytest

from ris.core.versions import describe_version, is_toy_version


@pytest.mark.parametrize("version", ["classical-1a2b3c4d", "classical-1a2b3c4d-top5", "classical-1a-9f8e7d"])
def test_a_version_without_a_network_says_so(version):
    assert describe_version(version) == f"{version} (no network: position, size, order and colour only)"


@pytest.mark.parametrize("version", ["tiny-1a2b3c4d", "tiny-1a2b3c4d-top5"])
def test_a_version_of_the_embedded_networks_is_called_a_toy(version):
    assert describe_version(version) == f"{version} (toy networks, for drawn scenes only)"
    assert is_toy_version(version)


@pytest.mark.parametrize(
    "version", ["base-1a2b3c4d", "mine-tiny-1", "", "classically-1a2b3c4d", "mine-classical-1"]
)
def test_every_other_version_stays(version):
    assert describe_version(version) == version
    assert not is_toy_version(version)
