"""Measure what `ris check` finds: `python -m benchmarks.planted_faults [--scenes 300] [--no-ranking]`.

Drawn scenes have two true expressions each. In some scenes a fault is planted, at most one in each: another
mask for the same words, words that fit several objects, a wrong letter, an answer that there is no referent,
words without a noun, or a copy of the image in another split, smaller and compressed. Recall is over what was
planted, precision over what was found. Precision depends on the share of the faults, which is printed.
"""

import argparse
import io
import random
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image as Pillow
from rich.console import Console

from benchmarks.processor import print_processor
from ris import assembly, config, planning
from ris.cli.console import make_table
from ris.core.rle import encode_rle
from ris.core.shares import estimate_share
from ris.core.types import Image, Task
from ris.datasets.entry import Entry
from ris.quality.ambiguity import compute_dissent, compute_entropy, compute_odds, find_ambiguous
from ris.quality.checking import CheckTools, check_tasks
from ris.quality.entries import make_checked_tasks
from ris.quality.findings import FindingKind, TaskFinding
from ris.quality.ranking_images import rank_tasks
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene

PLANTED = {
    "contradiction": (FindingKind.CONTRADICTION,),
    "ambiguous": (FindingKind.AMBIGUOUS,),
    "typo": (FindingKind.TYPO,),
    "absent": (FindingKind.DISPUTED_REFERENT,),
    "no noun": (FindingKind.NO_HEAD,),
    "duplicate": (FindingKind.LEAKED_IMAGE, FindingKind.DUPLICATE_IMAGE),
}
_FAULTS = [*PLANTED, *["none"] * 4]  # each fault in a tenth of the scenes
ENTROPIES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass
class Planting:
    """The entries and images that were made, and the numbers of the faulty entries by fault."""

    entries: list[Entry] = field(default_factory=list)
    images: dict[str, np.ndarray] = field(default_factory=dict)
    faulty: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in PLANTED})

    def add(
        self, words: str, mask: np.ndarray | None, image: str, split: str = "train", fault: str = ""
    ) -> None:
        """Add an entry, which has a fault or none."""
        size = self.images[image].shape[:2]
        rle = None if mask is None else encode_rle(np.asarray(mask))
        self.entries.append(Entry(words, image, size, rle, mask is not None, split))
        if fault:
            self.faulty[fault].append(len(self.entries))


def plant(n_scenes: int, seed: int) -> Planting:
    """Make the entries of drawn scenes with their faults in turn."""
    rng, made, number = random.Random(seed), Planting(), 0
    while number < n_scenes:
        scene = make_scene(rng, split="train")
        found = make_expressions(scene, rng)
        fault = _FAULTS[number % len(_FAULTS)]
        nouns = [one.noun for one in scene.things]
        shared = sorted({noun for noun in nouns if nouns.count(noun) > 1})
        if len(found) < 2 or (fault == "ambiguous" and not shared):
            continue
        image = f"scene-{number:05d}.png"
        made.images[image] = np.asarray(scene.image)
        masks = [scene.instances == index + 1 for index in range(len(scene.things))]
        first, second = found[:2]
        if fault == "ambiguous":
            noun = rng.choice(shared)
            meant = rng.choice([i for i, one in enumerate(nouns) if one == noun])
            made.add(f"the {noun}", masks[meant], image, fault=fault)
        elif fault == "typo":
            made.add(misspell(first.text, rng), masks[first.referent], image, fault=fault)
        elif fault == "no noun":
            made.add(
                rng.choice(("on the left", "very large", "in front")),
                masks[first.referent],
                image,
                fault=fault,
            )
        else:
            made.add(first.text, masks[first.referent], image)
        made.add(second.text, masks[second.referent], image)
        if fault == "contradiction":
            other = rng.choice([i for i in range(len(masks)) if i != first.referent])
            made.add(first.text, masks[other], image, fault=fault)
        elif fault == "absent":
            made.add(first.text, None, image, fault=fault)
        elif fault == "duplicate":
            copy = f"copy-{number:05d}.jpg"
            made.images[copy] = copy_image(made.images[image])
            made.add(second.text, None, copy, "test", fault)
        number += 1
    return made


def misspell(text: str, rng: random.Random) -> str:
    """Replace, drop or exchange a letter inside the longest word."""
    word = max(text.split(), key=len)
    place = rng.randrange(1, len(word) - 1)
    wrong = rng.choice((
        word[:place] + rng.choice(string.ascii_lowercase) + word[place + 1 :],
        word[:place] + word[place + 1 :],
        word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :],
    ))  # fmt: skip
    return text.replace(word, wrong) if wrong != word else misspell(text, rng)


def copy_image(pixels: np.ndarray) -> np.ndarray:
    """Make the image smaller and compress it, as pages on the web do."""
    file = io.BytesIO()
    small = Pillow.fromarray(pixels).resize((pixels.shape[1] * 4 // 5, pixels.shape[0] * 4 // 5))
    small.save(file, "JPEG", quality=70)
    return np.asarray(Pillow.open(file))


def make_row(name: str, planted: Sequence[int], found: Sequence[TaskFinding]) -> list[str]:
    """Return the cells of a fault: how many were planted and found, precision and recall with intervals."""
    numbers = [[one.task.task_id for one in finding.tasks] for finding in found]
    hits = [any(number in planted for number in one) for one in numbers]
    hit = {number for one in numbers for number in one}
    recall = estimate_share([number in hit for number in planted], range(len(planted)))
    precision = estimate_share(hits, range(len(hits)))
    return [name, str(len(planted)), str(len(found)), str(precision), str(recall)]


def main() -> None:
    """Print precision and recall by fault, and the operating points of ambiguity."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument(
        "--no-ranking", action="store_true", help="leave out ambiguity, which needs the networks"
    )
    arguments = parser.parse_args()
    print_processor()
    console, made = Console(width=160), plant(arguments.scenes, arguments.seed)

    def load_image(task: Task) -> Image:
        return Image.from_pixels(made.images[task.image_url])

    tasks, load_masks = make_checked_tasks(made.entries, "planted")
    if not arguments.no_ranking:
        plan = planning.make_plan(config.read_settings(preset=arguments.preset))
        tasks = list(rank_tasks(tasks, assembly.load_pipeline(plan), load_image))
    tools = CheckTools(load_masks, assembly.make_expression_parser(), load_image)
    found = list(check_tasks(tasks, tools))
    title = f"{len(tasks)} entries of {arguments.scenes} scenes, each fault in a tenth of the scenes"
    headings = "fault", "planted", "findings", "precision", "recall"
    table = make_table(*headings, title=title)
    for name, kinds in PLANTED.items():
        table.add_row(*make_row(name, made.faulty[name], [one for one in found if one.kind in kinds]))
    console.print(table)
    if arguments.no_ranking:
        return
    table = make_table("entropy from", *headings[1:], title="ambiguity, by operating point")
    for least in ENTROPIES:
        chosen = [one for task in tasks for one in find_ambiguous(task, min_entropy=least)]
        table.add_row(*make_row(str(least), made.faulty["ambiguous"], chosen))
    console.print(table)
    by_number = {task.task.task_id: task.ranking for task in tasks if task.ranking}
    table = make_table("median of", "ambiguous", "others")
    for name, measure in (("entropy", compute_entropy), ("odds", compute_odds), ("dissent", compute_dissent)):
        halves = [
            np.median(
                [
                    measure(one)
                    for n, one in by_number.items()
                    if (n in made.faulty["ambiguous"]) is is_planted
                ]
            )
            for is_planted in (True, False)
        ]
        table.add_row(name, *(f"{half:.2f}" for half in halves))
    console.print(table)


if __name__ == "__main__":
    main()
