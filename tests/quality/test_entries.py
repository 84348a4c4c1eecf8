from ris.core.rle import encode_rle
from ris.core.types import Verdict
from ris.datasets.entry import WITHOUT_MASK, Defect, Entry
from ris.quality.entries import make_checked_tasks, to_finding
from tests.builders.answers import paint

MASK = encode_rle(paint(0, 4))


def test_entries_become_tasks_with_their_known_answers():
    tasks, load = make_checked_tasks(
        [
            Entry("the mug", "a.png", (1, 10), MASK, True, "val"),
            Entry("the cat", "a.png", None, None, False, "val"),
            Entry("the dog", "b.png", None, None, True, ""),
        ],
        "refs",
    )

    assert [(one.name, one.image, one.size, one.split) for one in tasks] == [
        ("entry 1", ("refs", "a.png"), (1, 10), "val"), ("entry 2", ("refs", "a.png"), None, "val"),
        ("entry 3", ("refs", "b.png"), None, ""),
    ]  # fmt: skip
    assert [[answer.verdict for answer in one.answers] for one in tasks] == [
        [Verdict.REDRAWN], [Verdict.NO_REFERENT], [],
    ]  # fmt: skip
    assert load([tasks[0].answers[0].handle]) == [MASK]


def test_a_defect_is_a_finding_about_a_part_of_the_file():
    found = to_finding(Defect("ref 9", "its mask is empty", WITHOUT_MASK))

    assert (found.kind.value, found.place, found.sentence) == (
        "unusable entry", "ref 9", "its mask is empty (without its mask)",
    )  # fmt: skip
