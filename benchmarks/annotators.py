"""Find the skills of simulated annotators again: `python -m benchmarks.annotators [--seeds 100]`.

People of known skill answer drawn scenes, three people to a task. A right answer is the mask of the referent
with a ragged edge; a wrong one is another object of the scene, or that there is no referent. The intervals
must hold for all people of a seed together.
"""

import argparse
import random

import numpy as np
from rich.console import Console
from rich.progress import track

from benchmarks.processor import print_processor
from ris.cli.console import make_table
from ris.core.rle import RLE, encode_rle
from ris.core.types import Task, Verdict
from ris.quality.agreement import measure_team_agreement
from ris.store.answer_groups import AnswerGroup, PersonAnswer
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene

SKILLS = (0.97, 0.9, 0.8, 0.7, 0.6)
_EDGE_NOISE = 0.003  # share of pixels that are wrong in every mask


def draw_questions(count: int) -> list[tuple[str, int, list[np.ndarray]]]:
    """Draw scenes with an expression each: the words, the number of the referent, the masks of objects."""
    rng, questions = random.Random(9), []
    while len(questions) < count:
        scene = make_scene(rng, split="train")
        if found := make_expressions(scene, rng):
            chosen = rng.choice(found)
            masks = [scene.instances == number for number in range(1, int(scene.instances.max()) + 1)]
            questions.append((chosen.text, chosen.referent, masks))
    return questions


def answer_questions(questions: list, n_tasks: int, seed: int) -> list[AnswerGroup]:
    """Let three of the people answer each task; two tasks are about one image."""
    rng, groups = np.random.default_rng(seed), []
    for number in range(n_tasks):
        words, referent, masks = questions[int(rng.integers(len(questions)))]
        answers = []
        for person in sorted(rng.choice(len(SKILLS), 3, replace=False).tolist()):
            meant = referent
            if rng.random() >= SKILLS[person]:
                others = [i for i in range(-1, len(masks)) if i != referent]  # -1: no referent
                meant = others[int(rng.integers(len(others)))]
            mask = roughen(masks[meant], rng) if meant >= 0 else None
            verdict = Verdict.NO_REFERENT if mask is None else Verdict.REDRAWN
            answers.append(PersonAnswer(person, verdict, mask))
        task = Task(number, "1.1700000000", f"/{number // 2}.png", words)
        groups.append(AnswerGroup(task, ("", str(number // 2)), tuple(answers)))
    return groups


def roughen(mask: np.ndarray, rng: np.random.Generator) -> RLE:
    """Turn over some pixels of a mask."""
    return encode_rle(mask ^ (rng.random(mask.shape) < _EDGE_NOISE))


def main() -> None:
    """Print how often the intervals hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=200)
    arguments = parser.parse_args()
    print_processor()
    console, questions = Console(), draw_questions(200)
    held, estimates, widths, n_together = np.zeros(len(SKILLS)), [], [], 0
    for seed in track(range(arguments.seeds), console=console, transient=True):
        report = measure_team_agreement(answer_questions(questions, arguments.tasks, seed))
        found = [report.people[person]["skill"] for person in range(len(SKILLS))]
        holds = [one.low <= skill <= one.high for one, skill in zip(found, SKILLS, strict=True)]
        held += holds
        n_together += all(holds)
        estimates.append([one.mean for one in found])
        widths.append([one.high - one.low for one in found])
    table = make_table("skill", "mean estimate", "mean width", "seeds in the interval", numbers=True)
    for i, skill in enumerate(SKILLS):
        row = f"{np.mean(estimates, 0)[i]:.3f}", f"{np.mean(widths, 0)[i]:.3f}", int(held[i])
        table.add_row(str(skill), *row)
    console.print(table)
    console.print(f"all {len(SKILLS)} in their intervals in {n_together} of {arguments.seeds} seeds")


if __name__ == "__main__":
    main()
