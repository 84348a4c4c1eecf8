"""Model files on disk: which there must be, and whether they are the ones that were shipped."""

import hashlib
import json
from pathlib import Path
from typing import Any

from backend.errors import WeightsError
from backend.pretrained.presets import Preset

MANIFEST = "manifest.json"  # {file relative to the folder: sha256}


def verify(preset: Preset) -> str:
    """Check every file of a preset against its manifest; a digest of all of them.

    Reads the files, loads nothing: some ten milliseconds for the embedded ones.

    Raises:
        WeightsError: a file is missing or differs; the message names it.
    """
    manifest = preset.folder / MANIFEST
    if not manifest.is_file():
        raise WeightsError(
            f"the models of preset {preset.name!r} are not at {preset.folder}; install the package again"
        )
    expected: dict[str, str] = json.loads(manifest.read_text())
    for name, digest in expected.items():
        path = preset.folder / name
        if not path.is_file():
            raise WeightsError(f"the model file {path} is missing; install the package again")
        if sha256(path) != digest:
            raise WeightsError(f"the model file {path} is damaged or was changed; install the package again")
    return hashlib.sha256(json.dumps(expected, sort_keys=True).encode()).hexdigest()


def write_manifest(folder: Path) -> None:
    """Write down what is in a model folder now."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (MANIFEST, "README.md"))
    digests = {str(path.relative_to(folder).as_posix()): sha256(path) for path in files}
    (folder / MANIFEST).write_text(json.dumps(digests, indent=1) + "\n")


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def complete(network: Any, folder: Path) -> Any:
    """A transformers network from its folder, with every weight it needs, in float32.

    transformers itself only warns of weights that are not there, and goes on with random ones.

    Args:
        network: its class, such as `BlipForImageTextRetrieval`.

    Raises:
        WeightsError: a file is missing or damaged, or lacks weights.
    """
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (folder / name).is_file():
            raise WeightsError(f"the model lacks {folder / name}; install the package again")
    from transformers.utils import logging  # here, because checking files must not wait for transformers

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model, report = network.from_pretrained(
            folder, dtype="float32", local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # transformers and safetensors have errors of their own
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(f"the model in {folder} is damaged: {reason}; install it again") from error
    missing = sorted({*report["missing_keys"], *map(str, report["mismatched_keys"])})
    if missing:
        raise WeightsError(
            f"the model in {folder} lacks {len(missing)} weights, such as {missing[0]}; install it again"
        )
    return model.eval()
