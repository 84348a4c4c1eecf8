import numpy as np
import pytest

from ris.quality.agreement import measure_team_agreement
from ris.tinyworld.samples import make_samples
from tests.builders.answers import answer_group, paint


def test_figures_of_two_tasks_as_worked_by_hand():
    """Pairs: IoU 1; IoU 1/3; no referent beside a mask. Alpha of the first two is worked in `test_alpha`."""
    report = measure_team_agreement([
        answer_group(paint(0, 4, (64, 64)), paint(0, 4, (64, 64)), task_id=1, image="a"),
        answer_group(paint(4, 8, (64, 64)), paint(6, 10, (64, 64)), task_id=2, image="b"),
    ])  # fmt: skip

    assert report.n_tasks == 2
    assert report.n_without_consensus == 1
    assert report.overall["IoU"].mean == pytest.approx((1 + 2 / 6) / 2)
    assert report.overall["same referent"].mean == 0.5
    assert report.overall["same verdict"].mean == 1
    assert report.overall["alpha"].mean == pytest.approx(4 / 7)
    assert report.overall["alpha of the verdicts"].count == 0


def test_verdicts_are_a_mask_no_referent_or_skipped():
    report = measure_team_agreement([
        answer_group(paint(0, 4), None, task_id=1, image="a"),
        answer_group(paint(0, 4), "skipped", task_id=2, image="b"),
        answer_group(None, None, task_id=3, image="c"),
        answer_group(paint(0, 4), paint(0, 4), task_id=4, image="d"),
    ])  # fmt: skip

    assert report.overall["same verdict"].mean == 0.5
    assert report.overall["same referent"].mean == pytest.approx(2 / 3)  # skipped says nothing
    assert report.overall["IoU"].count == 1


def test_figures_are_by_person_and_kind():
    report = measure_team_agreement([
        answer_group(paint(0, 4), paint(0, 4), paint(0, 2), image="a", expression="the red mug"),
        answer_group(paint(0, 4), paint(0, 4), paint(6, 9), image="b", expression="the mug"),
    ])  # fmt: skip

    assert report.people[1]["IoU"].mean == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    assert report.people[3]["IoU"].mean == pytest.approx((0.5 + 0.5 + 0 + 0) / 4)
    assert report.people[3]["same referent"].mean == 0.5
    assert sorted(report.kinds) == ["colour", "plain"]
    assert report.people_by_kind[3, "colour"]["IoU"].mean == 0.5
    assert report.people_by_kind[3, "plain"]["IoU"].mean == 0
    assert report.people[1]["sensitivity"].mean == pytest.approx(1)


def test_the_tasks_on_which_people_differ_most_come_first():
    report = measure_team_agreement(
        [
            answer_group(paint(0, 4), paint(0, 4), task_id=1),
            answer_group(paint(0, 4), paint(0, 8), task_id=2),
            answer_group(paint(0, 4), None, task_id=3),
            answer_group(paint(0, 4), paint(0, 5), paint(8, 9), task_id=4),
            answer_group("skipped", paint(0, 5), task_id=5),
        ],
        n_worst=3,
    )

    assert [(one.task.task_id, round(one.disagreement, 2), one.has_consensus) for one in report.worst] == [
        (3, 1.0, False), (4, 0.73, True), (2, 0.5, True),
    ]  # fmt: skip


def test_every_task_is_given_away_with_its_consensus():
    given = []

    measure_team_agreement(
        [answer_group(paint(0, 4), paint(0, 4)), answer_group(None, paint(0, 4))],
        keep_consensus=lambda compared, consensus: given.append((len(compared.masks), consensus is None)),
    )

    assert given == [(2, False), (2, True)]


def test_no_tasks_have_no_figures():
    report = measure_team_agreement([])

    assert (report.n_tasks, report.overall, report.people, report.worst) == (0, {}, {}, ())
    assert report.find_below() == []


def answer_drawn_scenes(skills, n_tasks, seed):
    """People on drawn scenes: the referent's mask with ragged edges, or with 1 - skill another place."""
    rng = np.random.default_rng(seed)
    samples = make_samples(20)
    for number in range(n_tasks):
        truth = samples[number % len(samples)].truth
        answers = []
        for skill in skills:
            mask = (
                truth
                if rng.random() < skill
                else np.roll(truth, (truth.shape[0] // 2, truth.shape[1] // 2), (0, 1))
            )
            answers.append(mask ^ (rng.random(mask.shape) < 0.002))
        yield answer_group(*answers, task_id=number, image=str(number))


def test_somebody_who_is_often_wrong_lies_below_the_team():
    report = measure_team_agreement(answer_drawn_scenes((0.95, 0.95, 0.95, 0.6), 60, seed=1))

    assert report.find_below() == [4]
    assert report.people[4]["skill"].low < 0.6 < report.people[4]["skill"].high


def test_people_of_the_same_skill_do_not_lie_below_each_other():
    assert measure_team_agreement(answer_drawn_scenes((0.9,) * 4, 60, seed=2)).find_below() == []


def test_the_chance_of_many_answers_is_that_of_a_sample_of_all_kinds():
    """2,400 answers of two kinds; each kind's masks are equal, so half of all pairs differ."""
    left, right = paint(0, 4), paint(6, 10)
    groups = [
        answer_group(mask, mask, task_id=n, image=str(n), expression=words)
        for n in range(600)
        for mask, words in ((left, "the red mug"), (right, "the mug"))
    ]
    groups[0] = answer_group(left, right, task_id=0, image="0", expression="the red mug")

    report = measure_team_agreement(groups)

    assert report.overall["alpha"].mean == pytest.approx(1 - (2 / 2400) / 0.5, abs=1e-3)
