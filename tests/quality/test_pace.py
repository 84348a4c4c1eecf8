import numpy as np
from scipy.stats import norm

from ris.quality.pace import find_fast_answers
from tests.builders.answers import paint
from tests.builders.checked import checked_task


def make_tasks(times, annotator=1, first=0):
    return [
        checked_task(first + n, "the mug", paint(0, 4), times=(time,), annotator=annotator)
        for n, time in enumerate(times)
    ]


def find(tasks):
    return [one.tasks[0].task.task_id for one in find_fast_answers(tasks)]


EVEN = (
    8 * np.exp(0.3 * norm.ppf(np.linspace(0.01, 0.99, 40)))
).tolist()  # 4 to 16 s, half within 6.5 and 9.8


def test_an_answer_much_faster_than_its_annotator_is_found():
    assert find(make_tasks([*EVEN, 1.0])) == [40]


def test_each_annotator_has_a_distribution_of_their_own():
    quick = [time / 4 for time in EVEN]

    assert find(make_tasks(EVEN) + make_tasks([*quick, 1.0], annotator=2, first=100)) == []


def test_few_answers_are_compared_with_half_a_second():
    assert find(make_tasks([8, 8, 0.6, 0.4])) == [3]


def test_an_unknown_annotator_and_unknown_times_say_nothing():
    assert find(make_tasks([*EVEN, 1.0], annotator=None)) == []
    assert find(make_tasks([None] * 30)) == []


def test_equal_times_are_not_odd_at_a_little_less():
    assert find(make_tasks([5.0] * 30 + [4.0])) == []
    assert find(make_tasks([5.0] * 30 + [0.0])) == [30]
