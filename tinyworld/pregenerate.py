"""Draw many scenes into a folder: `python -m tinyworld.pregenerate --out DIR --seed 1 --count 8000`.

`pixels.bin` holds, scene after scene, the image's bytes and then the instances' bytes; `scenes.jsonl` holds a
line a scene with its size and its things. `SceneFolder` reads both without loading the pixels.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from tinyworld.scene import SPLITS, Scene, Thing, make_scene

PIXELS, SCENES = "pixels.bin", "scenes.jsonl"


def draw_folder(folder: Path, *, split: str, seed: int, count: int) -> None:
    """Write `count` scenes; each has a generator of its own, so the first ones do not depend on `count`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / PIXELS).open("wb") as pixels, (folder / SCENES).open("w", encoding="utf-8") as lines:
        for number in track(range(count), description=f"{split} scenes"):
            scene = make_scene(random.Random(f"{split} {seed} {number}"), split=split)
            pixels.write(scene.image.tobytes())
            pixels.write(scene.instances.tobytes())
            things = [asdict(thing) for thing in scene.things]
            lines.write(json.dumps({"size": scene.size, "ground": scene.ground, "things": things}) + "\n")


class SceneFolder(Sequence[Scene]):
    """The scenes of a folder; pixels are mapped from the file and read-only.

    Raises:
        ValueError: the two files do not belong together, or the writing was cut short.
    """

    def __init__(self, folder: Path) -> None:
        with (folder / SCENES).open(encoding="utf-8") as lines:
            self._scenes = [json.loads(line) for line in lines]
        areas = [height * width for height, width in (scene["size"] for scene in self._scenes)]
        self._starts = np.concatenate([[0], np.cumsum(areas, dtype=np.int64) * 4]).tolist()
        found = (folder / PIXELS).stat().st_size
        if found != self._starts[-1]:
            raise ValueError(
                f"{folder / PIXELS} has {found} bytes, {SCENES} tells of {self._starts[-1]}; draw it again"
            )
        self._pixels = np.memmap(folder / PIXELS, np.uint8, "r") if found else np.zeros(0, np.uint8)

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Scene:  # type: ignore[override]  # no slices
        index = range(len(self))[index]
        told = self._scenes[index]
        height, width = told["size"]
        start, split = self._starts[index], self._starts[index] + height * width * 3
        image = self._pixels[start:split].reshape(height, width, 3)
        instances = self._pixels[split : split + height * width].reshape(height, width)
        things = tuple(Thing(**{**thing, "box": tuple(thing["box"])}) for thing in told["things"])
        return Scene(image, instances, things, told["ground"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=8000)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)  # the pictures are small: more threads only wait for each other
    draw_folder(arguments.out, split=arguments.split, seed=arguments.seed, count=arguments.count)
    print(f"{len(SceneFolder(arguments.out))} scenes in {arguments.out}")


if __name__ == "__main__":
    main()
