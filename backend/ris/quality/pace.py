"""Find answers that were given faster than their annotator can look."""

from collections.abc import Iterator, Sequence

import numpy as np

from ris.quality.findings import FindingKind, TaskFinding
from ris.store.checked import CheckedTask

_MIN_ANSWERS = 20  # of a person, before their own distribution says anything
_DEVIATIONS = 3.5  # below the person's median, in robust standard deviations of the logarithm
_MIN_DEVIATION = 0.2  # of the logarithm: nobody is as even as to be odd at a tenth less
_BLINK_S = 0.5  # nobody reads an expression and looks at an image in less


def find_fast_answers(tasks: Sequence[CheckedTask]) -> Iterator[TaskFinding]:
    """Find answers that took much less than their annotator takes, or less than half a second.

    The limit of a person with at least 20 known times is the median divided by exp(3.5 s), where s is the
    robust standard deviation of the logarithm of the times (1.48 times the median deviation), at least 0.2.
    """
    times: dict[int | None, list[float]] = {}
    for task in tasks:
        for answer in task.answers:
            if answer.lead_time_s:
                times.setdefault(answer.annotator, []).append(answer.lead_time_s)
    limits = {person: _find_limit(one) for person, one in times.items() if person is not None}
    for task in tasks:
        for answer in task.answers:
            limit = limits.get(answer.annotator, _BLINK_S) if answer.annotator is not None else _BLINK_S
            if answer.lead_time_s is not None and answer.lead_time_s < limit:
                who = "unknown" if answer.annotator is None else str(answer.annotator)
                sentence = (
                    f"annotator {who} answered in {answer.lead_time_s:.1f} s, faster than the {limit:.1f} s "
                    "in which this person can look: look at the answer"
                )
                evidence = {"annotator": who, "lead_time_s": answer.lead_time_s, "limit_s": round(limit, 2)}
                yield TaskFinding(FindingKind.FAST_ANSWER, sentence, (task,), evidence)


def _find_limit(times: Sequence[float]) -> float:
    if len(times) < _MIN_ANSWERS:
        return _BLINK_S
    logs = np.log(times)
    middle = float(np.median(logs))
    deviation = max(1.4826 * float(np.median(np.abs(logs - middle))), _MIN_DEVIATION)
    return max(float(np.exp(middle - _DEVIATIONS * deviation)), _BLINK_S)
