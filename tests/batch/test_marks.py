from ris.batch.guard import MAX_WORKER_LOSSES
from ris.batch.marks import LossMarks, is_deadly


def test_what_began_and_did_not_end_is_counted_for_every_worker(tmp_path):
    assert [LossMarks(tmp_path).begin("a") for _ in range(3)] == [0, 1, 2]
    assert LossMarks(tmp_path).begin("b") == 0


def test_what_ended_leaves_no_mark(tmp_path):
    marks = LossMarks(tmp_path)
    marks.begin("a")
    marks.end("a")

    assert list(tmp_path.iterdir()) == []
    assert marks.begin("a") == 0


def test_what_was_lost_as_often_as_an_image_may_kill_workers_is_not_tried_again():
    assert [is_deadly(n) for n in (0, MAX_WORKER_LOSSES - 1, MAX_WORKER_LOSSES)] == [False, False, True]
