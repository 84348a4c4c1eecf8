"""Model versions as people read them."""

NO_NETWORK = "no network: position, size, order and colour only"
NO_NETWORK_PRESET = "classical"
TOY_NETWORKS = "toy networks, for drawn scenes only"
TOY_PRESET = "tiny"

_DESCRIPTIONS = {NO_NETWORK_PRESET: NO_NETWORK, TOY_PRESET: TOY_NETWORKS}


def describe_version(version: str) -> str:
    """Add to a model version what it is, where no network looks at the pictures, or toys do.

    Args:
        version: "classical-1a2b3c4d", "tiny-1a2b3c4d-top5", "" and so on.
    """
    description = _DESCRIPTIONS.get(version.split("-")[0])
    return f"{version} ({description})" if description else version


def is_toy_version(version: str) -> bool:
    """Tell whether a model version is of the embedded networks, which know drawn scenes only."""
    return version.split("-")[0] == TOY_PRESET
