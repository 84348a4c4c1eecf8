"""The cache of scenes: in memory, and in files behind it."""

from collections import OrderedDict
from threading import Lock

from ris.referring.scene import Scene
from ris.store.scenes import SceneFiles


class SceneCache:
    """A least-recently-used cache of scenes, bounded by bytes. A scene above the bound is not kept.

    Args:
        files: a second, larger cache that survives restarts; None caches in memory only.
    """

    def __init__(self, max_bytes: int, files: SceneFiles | None = None) -> None:
        self.max_bytes, self.files = max_bytes, files
        self.n_bytes = self.n_hits = self.n_misses = 0
        self._scenes: OrderedDict[str, Scene] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: str) -> Scene | None:
        """Return the scene of the image with this SHA-256; None when it is not cached."""
        with self._lock:
            if digest in self._scenes:
                self.n_hits += 1
                self._scenes.move_to_end(digest)
                return self._scenes[digest]
        scene = self.files.get(digest) if self.files else None
        if scene is None:
            self.n_misses += 1
            return None
        self.n_hits += 1
        self._add(scene)
        return scene

    def put(self, scene: Scene) -> None:
        """Add a scene to memory and to the files."""
        self._add(scene)
        if self.files:
            self.files.put(scene)

    def _add(self, scene: Scene) -> None:
        with self._lock:
            if scene.digest in self._scenes:
                return
            self._scenes[scene.digest] = scene
            self.n_bytes += scene.n_bytes
            while self.n_bytes > self.max_bytes and self._scenes:
                _, dropped = self._scenes.popitem(last=False)
                self.n_bytes -= dropped.n_bytes

    def __len__(self) -> int:
        return len(self._scenes)
