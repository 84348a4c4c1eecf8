"""Scenes in files: what was seen of an image survives a restart, and need not fit into memory.

A file is the SHA-256 of the rest and then safetensors. One that does not agree with its digest is deleted:
the scene is seen again.
"""

import hashlib
import logging
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ris.core.rle import RLE
from ris.errors import StoreError
from ris.referring.scene import Scene

log = logging.getLogger(__name__)

_DIGEST_BYTES = 32
_SUFFIX = ".scene"
_FEATURE_PREFIX = "feature/"  # then the method, a slash, and the array's own name


class SceneFiles:
    """The scenes of one model version in a folder, bounded by bytes: the longest unused go first.

    Args:
        folder: made when it is not there; scenes of other versions may lie in it and count.
        version: of the networks and settings that see.

    Raises:
        StoreError: the folder cannot be made.
    """

    def __init__(self, folder: Path, version: str, max_bytes: int) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._own = folder / version
        try:
            self._own.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"RIS_SCENE_FOLDER {folder} cannot be used: {error.strerror}") from error

    def get(self, digest: str) -> Scene | None:
        """The scene of an image; None when it is not there or is damaged."""
        path = self._get_path(digest)
        try:
            data = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("the scene %s cannot be read and is seen again: %s", path.name, error)
            return None
        if hashlib.sha256(data[_DIGEST_BYTES:]).digest() == data[:_DIGEST_BYTES]:
            try:
                return _scene_from_arrays(digest, load(data[_DIGEST_BYTES:]))
            except (SafetensorError, KeyError, ValueError) as error:
                log.warning("the scene %s is not as expected: %s", path.name, error)
        log.warning("the scene %s is damaged; it is deleted and seen again", path.name)
        path.unlink(missing_ok=True)
        return None

    def put(self, scene: Scene) -> None:
        """Keep a scene. A full disk is logged and stops nobody: the scene is in memory."""
        content = save(_scene_to_arrays(scene))
        try:
            with tempfile.NamedTemporaryFile(dir=self._own, delete=False) as file:
                file.write(hashlib.sha256(content).digest() + content)
            Path(file.name).replace(self._get_path(scene.digest))
            self._evict()
        except OSError as error:
            log.warning("the scene of image %s could not be kept: %s", scene.digest[:12], error)

    def _get_path(self, digest: str) -> Path:
        return self._own / (digest + _SUFFIX)

    def _evict(self) -> None:
        found = [(path, path.stat()) for path in self.folder.glob(f"*/*{_SUFFIX}")]
        excess = sum(about.st_size for _, about in found) - self.max_bytes
        for path, about in sorted(found, key=lambda one: one[1].st_mtime_ns):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= about.st_size


def _scene_to_arrays(scene: Scene) -> dict[str, NDArray]:
    arrays = {
        "size": np.array(scene.size, np.int64),
        "runs": np.array([run for mask in scene.masks for run in mask.counts], np.int64),
        "n_runs": np.array([len(mask.counts) for mask in scene.masks], np.int64),
        "boxes": np.array(scene.boxes, np.float64).reshape(-1, 4),
        "quality": np.asarray(scene.quality),
    }
    for method, seen in scene.features.items():
        arrays |= {f"{_FEATURE_PREFIX}{method}/{name}": np.asarray(array) for name, array in seen.items()}
        arrays[f"{_FEATURE_PREFIX}{method}/"] = np.zeros(
            0, np.int8
        )  # a method that saw nothing is there all the same
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _scene_from_arrays(digest: str, arrays: dict[str, NDArray]) -> Scene:
    height, width = (int(length) for length in arrays["size"])
    runs, ends = arrays["runs"].tolist(), np.cumsum(arrays["n_runs"]).tolist()
    starts = [0, *ends][:-1]
    features: dict[str, dict[str, NDArray]] = {}
    for key, array in arrays.items():
        if key.startswith(_FEATURE_PREFIX):
            method, _, name = key.removeprefix(_FEATURE_PREFIX).partition("/")
            seen = features.setdefault(method, {})
            if name:
                seen[name] = array
    return Scene(
        digest=digest,
        size=(height, width),
        masks=tuple(RLE((height, width), tuple(runs[a:b])) for a, b in zip(starts, ends, strict=True)),
        boxes=tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in arrays["boxes"].tolist()),
        quality=arrays["quality"],
        features=features,
    )
