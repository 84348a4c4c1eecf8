"""Scenes in files: a cache that survives restarts and may be larger than the memory.

A file is a SHA-256 digest followed by safetensors data. A file that does not match its digest is deleted, and
its scene is computed again.
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
_FEATURE_PREFIX = "feature/"  # followed by method/array


class SceneFiles:
    """A least-recently-used cache of the scenes of one model version in a folder, bounded by bytes.

    Args:
        folder: created when missing; the scenes of other versions in it count too.
        version: of the networks and settings that compute the scenes.
        max_bytes: the bound for all files together.

    Raises:
        StoreError: the folder cannot be created.
    """

    def __init__(self, folder: Path, version: str, max_bytes: int) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._version_folder = folder / version
        try:
            self._version_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"RIS_SCENE_FOLDER {folder} cannot be created: {error.strerror}; choose another folder"
            ) from error

    def get(self, digest: str) -> Scene | None:
        """Return the scene of the image with this digest; None when it is missing or damaged."""
        path = self._get_path(digest)
        try:
            data = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("scene file %s cannot be read, its scene is computed again: %s", path.name, error)
            return None
        if hashlib.sha256(data[_DIGEST_BYTES:]).digest() == data[:_DIGEST_BYTES]:
            try:
                return _scene_from_arrays(digest, load(data[_DIGEST_BYTES:]))
            except (SafetensorError, KeyError, ValueError) as error:
                log.warning("scene file %s has unexpected content: %s", path.name, error)
        log.warning("scene file %s is damaged; it is deleted, and its scene is computed again", path.name)
        path.unlink(missing_ok=True)
        return None

    def put(self, scene: Scene) -> None:
        """Write a scene. A failure, such as a full disk, is logged: the scene is in memory as well."""
        content = save(_scene_to_arrays(scene))
        try:
            with tempfile.NamedTemporaryFile(dir=self._version_folder, delete=False) as file:
                file.write(hashlib.sha256(content).digest() + content)
            Path(file.name).replace(self._get_path(scene.digest))
            self._evict()
        except OSError as error:
            log.warning("the scene of image %s could not be written: %s", scene.digest[:12], error)

    def _get_path(self, digest: str) -> Path:
        return self._version_folder / (digest + _SUFFIX)

    def _evict(self) -> None:
        found = [(path, path.stat()) for path in self.folder.glob(f"*/*{_SUFFIX}")]
        excess = sum(status.st_size for _, status in found) - self.max_bytes
        for path, status in sorted(found, key=lambda pair: pair[1].st_mtime_ns):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= status.st_size


def _scene_to_arrays(scene: Scene) -> dict[str, NDArray]:
    arrays = {
        "size": np.array(scene.size, np.int64),
        "runs": np.array([run for mask in scene.masks for run in mask.counts], np.int64),
        "n_runs": np.array([len(mask.counts) for mask in scene.masks], np.int64),
        "boxes": np.array(scene.boxes, np.float64).reshape(-1, 4),
        "quality": np.asarray(scene.quality),
    }
    for method, features in scene.features.items():
        arrays |= {f"{_FEATURE_PREFIX}{method}/{name}": np.asarray(array) for name, array in features.items()}
        arrays[f"{_FEATURE_PREFIX}{method}/"] = np.zeros(0, np.int8)  # keeps a method without features
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _scene_from_arrays(digest: str, arrays: dict[str, NDArray]) -> Scene:
    height, width = (int(length) for length in arrays["size"])
    runs, ends = arrays["runs"].tolist(), np.cumsum(arrays["n_runs"]).tolist()
    starts = [0, *ends][:-1]
    features: dict[str, dict[str, NDArray]] = {}
    for key, array in arrays.items():
        if key.startswith(_FEATURE_PREFIX):
            method, _, name = key.removeprefix(_FEATURE_PREFIX).partition("/")
            of_method = features.setdefault(method, {})
            if name:
                of_method[name] = array
    return Scene(
        digest=digest,
        size=(height, width),
        masks=tuple(RLE((height, width), tuple(runs[a:b])) for a, b in zip(starts, ends, strict=True)),
        boxes=tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in arrays["boxes"].tolist()),
        quality=arrays["quality"],
        features=features,
    )
