"""Check that the model files on disk are complete and are those that were shipped or fetched.

The folder of every network has a `manifest.json` with the digest and length of each file. The digests of
embedded files are checked at every start, which takes about ten milliseconds. Fetched files have gigabytes:
a start checks their lengths only, and `ris models verify` checks their digests.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ris.errors import WeightsError
from ris.pretrained.catalog.sources import Source

MANIFEST_FILE = "manifest.json"  # {path relative to the folder: {"sha256": hex, "bytes": length}}
_INSTALL_ADVICE = "install the package again"


def check_model_files(sources: Iterable[Source], models: Path, *, fetch: str) -> str:
    """Check that all files of some networks are there, without loading a network.

    Args:
        sources: the networks.
        models: the folder of fetched networks.
        fetch: the command that fetches missing files, for the message.

    Returns:
        A SHA-256 digest over all files, in hex.

    Raises:
        WeightsError: a file is missing or differs; the message names it and says what to do.
    """
    found = {}
    for source in sources:
        folder = source.get_folder(models)
        if source.parts:
            found[source.name] = _check_lengths(folder, f"get it with `{fetch}`")
        elif (folder / MANIFEST_FILE).is_file():
            found[source.name] = verify_files(folder, _INSTALL_ADVICE)
        else:
            found[source.name] = _describe_user_files(folder, source.name)
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def verify_files(folder: Path, remedy: str) -> dict[str, str]:
    """Compare the digest of every file of a folder with its manifest.

    Args:
        folder: the network's folder.
        remedy: what the person should do, for the message.

    Returns:
        {file: sha256 in hex}.

    Raises:
        WeightsError: a file is missing or differs; the message names it.
    """
    expected = read_manifest(folder, remedy)
    for name, entry in expected.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"the model file {path} is missing; {remedy}")
        if compute_sha256(path) != entry["sha256"]:
            raise WeightsError(f"the model file {path} is damaged or was changed; {remedy}")
    return {name: str(entry["sha256"]) for name, entry in expected.items()}


def read_manifest(folder: Path, remedy: str) -> dict[str, dict[str, Any]]:
    """Read the manifest of a folder.

    Args:
        folder: the network's folder.
        remedy: what the person should do, for the message.

    Returns:
        {file: {"sha256": hex, "bytes": length}}.

    Raises:
        WeightsError: there is no manifest, or it is damaged.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise WeightsError(f"model weights not found in {folder}; {remedy}")
    try:
        entries = json.loads(path.read_text())
        return {
            str(name): {"sha256": str(entry["sha256"]), "bytes": int(entry["bytes"])}
            for name, entry in entries.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"{path} is damaged; {remedy}") from error


def write_manifest(folder: Path) -> None:
    """Write the manifest of a model folder: the digest and length of each file that is in it now."""
    files = sorted(
        path for path in folder.rglob("*")
        if path.is_file() and path.name not in (MANIFEST_FILE, "README.md") and ".cache" not in path.parts
    )  # fmt: skip
    entries = {
        path.relative_to(folder).as_posix(): {"sha256": compute_sha256(path), "bytes": path.stat().st_size}
        for path in files
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(entries, indent=1) + "\n")


def compute_sha256(path: Path) -> str:
    """Compute the SHA-256 digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_lengths(folder: Path, remedy: str) -> dict[str, str]:
    expected = read_manifest(folder, remedy)
    for name, entry in expected.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"the model file {path} is missing; {remedy}")
        if path.stat().st_size != entry["bytes"]:
            raise WeightsError(f"the model file {path} was cut short or changed; {remedy}")
    return {name: str(entry["sha256"]) for name, entry in expected.items()}


def _describe_user_files(folder: Path, name: str) -> dict[str, str]:
    """Describe a folder without a manifest by the length and modification time of each file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise WeightsError(
            f"the network {name!r} of your presets is not at {folder}; correct its folder there"
        )
    return {
        str(path.relative_to(folder)): f"{path.stat().st_size} {path.stat().st_mtime_ns}" for path in files
    }
