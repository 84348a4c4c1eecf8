from ris.core.types import Verdict
from ris.quality.outcome_lines import to_outcome_line
from ris.store.settled import SettledTask
from tests.builders.adjudications import SETTLING, make_adjudication, of_task, outcome
from tests.builders.records import TASK

ANSWERS = ((of_task(1, 7, 3), of_task(2, 7, 4)), (of_task(3, 7, 5, rank=1),))


def test_a_line_names_the_task_the_outcome_and_whose_answers_were_taken_and_offered():
    line = to_outcome_line(SettledTask(make_adjudication(), outcome(11, rank=0), ANSWERS))

    assert (line["project"], line["task_id"], line["expression"]) == (TASK.project, 7, TASK.expression)
    assert line["settled_in"] == {"project": SETTLING, "task_id": 1}
    assert [one["annotator"] for one in line["taken"]] == [3, 4]
    assert [[one["annotation_id"] for one in own] for own in line["offered"]] == [[1, 2], [3]]
    assert line["mask"]["size"] == [9, 14]


def test_an_outcome_without_a_referent_takes_nobody_s_mask():
    line = to_outcome_line(
        SettledTask(make_adjudication(), outcome(11, verdict=Verdict.NO_REFERENT), ANSWERS)
    )

    assert (line["mask"], line["taken"], line["outcome"]["verdict"]) == (None, [], "no referent")
