"""Model files on disk: which there must be, and whether they are the ones that were shipped or fetched.

Beside the files of every network lies a `manifest.json`: by name, each file's digest and length. Embedded
files are digested at every start, which takes some ten milliseconds; of fetched ones, gigabytes, only the
lengths are looked at, and `ris models verify` digests them.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ris.errors import WeightsError
from ris.pretrained.catalog.sources import Source

MANIFEST_FILE = "manifest.json"  # {file relative to the folder: {"sha256": hex, "bytes": length}}
_INSTALL_ADVICE = "install the package again"


def check_model_files(sources: Iterable[Source], models: Path, *, fetch: str) -> str:
    """See that every file of some networks is there.

    Args:
        models: the folder of fetched networks.
        fetch: the command that gets what is missing, for the message.

    Returns:
        A digest of what they are; no network is loaded.

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
    """Digest every file of a folder and compare it with its manifest; {file: sha256}.

    Args:
        remedy: what the person should do, for the message.

    Raises:
        WeightsError: a file is missing or differs; the message names it.
    """
    expected = read_manifest(folder, remedy)
    for name, said in expected.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"the model file {path} is missing; {remedy}")
        if compute_sha256(path) != said["sha256"]:
            raise WeightsError(f"the model file {path} is damaged or was changed; {remedy}")
    return {name: str(said["sha256"]) for name, said in expected.items()}


def read_manifest(folder: Path, remedy: str) -> dict[str, dict[str, Any]]:
    """What was written down about a folder.

    Raises:
        WeightsError: nothing, or nothing that can be read.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise WeightsError(f"there is no network at {folder}; {remedy}")
    try:
        said = json.loads(path.read_text())
        return {
            str(name): {"sha256": str(of["sha256"]), "bytes": int(of["bytes"])} for name, of in said.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"{path} is damaged; {remedy}") from error


def write_manifest(folder: Path) -> None:
    """Write down what is in a model folder now."""
    files = sorted(
        path for path in folder.rglob("*")
        if path.is_file() and path.name not in (MANIFEST_FILE, "README.md") and ".cache" not in path.parts
    )  # fmt: skip
    said = {
        path.relative_to(folder).as_posix(): {"sha256": compute_sha256(path), "bytes": path.stat().st_size}
        for path in files
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(said, indent=1) + "\n")


def compute_sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_lengths(folder: Path, remedy: str) -> dict[str, str]:
    expected = read_manifest(folder, remedy)
    for name, said in expected.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"the model file {path} is missing; {remedy}")
        if path.stat().st_size != said["bytes"]:
            raise WeightsError(f"the model file {path} was cut short or changed; {remedy}")
    return {name: str(said["sha256"]) for name, said in expected.items()}


def _describe_user_files(folder: Path, name: str) -> dict[str, str]:
    """A folder that nobody wrote a manifest for: its files' lengths and times stand for them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise WeightsError(
            f"the network {name!r} of your presets is not at {folder}; correct its folder there"
        )
    return {
        str(path.relative_to(folder)): f"{path.stat().st_size} {path.stat().st_mtime_ns}" for path in files
    }
