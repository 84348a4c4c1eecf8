from concurrent.futures import Future
from types import SimpleNamespace

from ris.core.types import Task
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.task import PredictRequest, TaskFailure
from ris.service import SuggestionResult
from ris.web.batch import PredictBatch, answer_all

CONTROLS = read_controls(read("type_brush.xml"))
TASK = Task(1, "1.1700000000", "/a", "")


def test_a_task_without_an_expression_gets_the_one_that_was_kept_and_no_other_does():
    asked = PredictRequest("1.1700000000", CONTROLS, (TASK, TaskFailure(2, "no image")), None)

    batch = PredictBatch.from_request(asked, "v1", lambda entry: "the mug" if entry is TASK else "")

    assert [getattr(entry, "expression", None) for entry in batch.entries] == ["the mug", None]
    assert batch.carried_expressions == ["the mug", ""]


def test_without_a_way_into_label_studio_what_is_late_is_told_as_late_and_goes_on():
    computing = SimpleNamespace(
        begin=lambda entries: [Future() for _ in entries],
        wait=lambda jobs, deadline_s: None,
        make_late_result=lambda entry, deadline_s: SuggestionResult(
            entry.task_id, reason="late", cause="late"
        ),
    )

    (told,) = answer_all(PredictBatch([TASK], [""], CONTROLS, "v1"), computing, None, 1)

    assert (told.predictions, told.cause) == ([], "late")
