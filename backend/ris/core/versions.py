"""Model versions as people read them."""

NO_NETWORK = "no network: position, size, order and colour only"
NO_NETWORK_PRESET = "classical"


def describe_version(version: str) -> str:
    """Add to a model version what it is, where no network looks at the pictures.

    Args:
        version: "classical-1a2b3c4d", "tiny-1a2b3c4d-top5", "" and so on.
    """
    return f"{version} ({NO_NETWORK})" if version.split("-")[0] == NO_NETWORK_PRESET else version
