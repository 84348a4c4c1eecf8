"""The skills of made-up people are found again, within the intervals that are stated."""

import numpy as np
import pytest

from ris.quality.skills import estimate_skills

SKILLS = (0.97, 0.9, 0.8, 0.7, 0.6)


def make_answers(seed, *, skills=SKILLS, n_tasks=200, n_answers=3, n_wrong=4):
    """Tasks of two to an image; each person means referent 0, or one of the wrong ones."""
    rng = np.random.default_rng(seed)
    partitions = []
    for _ in range(n_tasks):
        people = rng.choice(len(skills), n_answers, replace=False).tolist()
        partitions.append(
            tuple(
                (one, 0 if rng.random() < skills[one] else int(rng.integers(1, n_wrong + 1)))
                for one in people
            )
        )
    return partitions, [task // 2 for task in range(n_tasks)]


def test_skills_lie_within_all_their_intervals_in_95_of_100_seeds():
    held = 0
    for seed in range(100):
        found = estimate_skills(*make_answers(seed), n_people=len(SKILLS))
        held += all(found[i].low <= skill <= found[i].high for i, skill in enumerate(SKILLS))

    assert held >= 95


def test_estimates_are_near_and_intervals_shrink_with_tasks():
    few = estimate_skills(*make_answers(1, n_tasks=200), n_people=5)
    many = estimate_skills(*make_answers(1, n_tasks=4000), n_people=5)

    assert [many[i].mean for i in range(5)] == pytest.approx(SKILLS, abs=0.03)
    for i in range(5):
        assert many[i].high - many[i].low < (few[i].high - few[i].low) / 3


def test_answers_about_one_image_are_not_independent():
    """The same tasks as one image each, and as ten images of which each is answered alike."""
    partitions, _ = make_answers(2, n_tasks=10)
    apart, together = (
        estimate_skills(partitions * 20, images, n_people=5) for images in (range(200), list(range(10)) * 20)
    )

    widths = {i: (together[i].high - together[i].low) / (apart[i].high - apart[i].low) for i in apart}
    assert widths[1] > 2 and widths[3] > 2  # the others are always right, or always wrong
    assert min(widths.values()) >= 1


def test_people_who_always_agree_are_right_with_an_interval():
    found = estimate_skills([((0, 0), (1, 0), (2, 0))] * 30, range(30), n_people=3)

    assert all(
        share.mean > 0.95 and 0.8 < share.low < share.mean < 0.9999 < share.high for share in found.values()
    )


def test_two_people_cannot_be_told_apart():
    assert estimate_skills([((0, 0), (1, 1))] * 50, range(50), n_people=2) == {}


def test_a_person_without_common_tasks_is_left_out():
    partitions = [((0, 0), (1, 0), (2, 0))] * 20 + [((2, 0), (3, 1))] * 20 + [((4, 0),)]

    found = estimate_skills(partitions, range(len(partitions)), n_people=5)

    assert sorted(found) == [0, 1, 2]


def test_three_people_of_whom_each_two_share_tasks_can_be_told_apart():
    pairs = [((0, 0), (1, 0)), ((1, 0), (2, 0)), ((0, 0), (2, 0))] * 20

    assert sorted(estimate_skills(pairs, range(60), n_people=3)) == [0, 1, 2]


def test_the_names_of_referents_do_not_matter():
    partitions, images = make_answers(3)
    renamed = [tuple((person, 77 - 3 * referent) for person, referent in one) for one in partitions]

    assert estimate_skills(renamed, images, n_people=5) == estimate_skills(partitions, images, n_people=5)


def test_nothing_has_no_skills():
    assert estimate_skills([], [], n_people=0) == {}
