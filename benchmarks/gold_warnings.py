"""Count the warnings about simulated annotators on gold tasks: `python -m benchmarks.gold_warnings`.

Five people answer the same gold tasks, each about an image of its own. Either all mean the right referent
equally often, or one of them less often. A wrong answer says that there is no referent. Counted are the seeds
in which `ris gold score` names anybody by that figure, and those in which it names the right one alone.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.progress import track

from benchmarks.processor import print_processor
from ris.cli.console import make_table
from ris.core.rle import encode_rle
from ris.core.types import Task
from ris.quality.gold import measure_gold
from ris.store.gold import GoldAnswer

_TEAM_SKILL, _N_PEOPLE = 0.9, 5
_WEAK_SKILLS = (0.9, 0.8, 0.7, 0.6)  # of one person; 0.9: nobody is below the team
_KNOWN = encode_rle(np.eye(4, dtype=np.bool_))


def answer_gold(skills: Sequence[float], n_tasks: int, seed: int) -> list[GoldAnswer]:
    """Let everybody answer every gold task."""
    is_right = np.random.default_rng(seed).random((n_tasks, len(skills))) < skills
    return [
        GoldAnswer(
            Task(number, "1.1700000000", f"/{number}.png", "the mug"), ("", str(number)), person,
            _KNOWN if is_right[number, person] else None, _KNOWN,
        )
        for number in range(n_tasks)
        for person in range(len(skills))
    ]  # fmt: skip


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--tasks", type=int, nargs="+", default=[20, 40, 80])
    arguments = parser.parse_args()
    print_processor()
    console = Console()
    table = make_table("gold tasks", "skill of one", "seeds with a warning", "about this one alone")
    cases = [(n_tasks, weak) for n_tasks in arguments.tasks for weak in _WEAK_SKILLS]
    for n_tasks, weak in track(cases, console=console, transient=True):
        n_any = n_right = 0
        for seed in range(arguments.seeds):
            skills = [weak, *[_TEAM_SKILL] * (_N_PEOPLE - 1)]
            below = measure_gold(answer_gold(skills, n_tasks, seed)).find_below()
            named = {person for person, figure in below if figure == "right referent"}
            n_any += bool(named)
            n_right += named == {0}
        table.add_row(n_tasks, weak, f"{n_any} of {arguments.seeds}", f"{n_right} of {arguments.seeds}")
    console.print(table)


if __name__ == "__main__":
    main()
