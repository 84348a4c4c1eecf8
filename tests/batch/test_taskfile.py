import json

import pytest

from backend.batch.taskfile import file_key, read_tasks, write_tasks
from backend.errors import InputError


def written(path, value):
    path.write_text(json.dumps(value))
    return path


def test_tasks_without_an_id_have_their_place_for_one(tmp_path):
    path = written(tmp_path / "t.json", [{"data": {"a": 1}}, {"a": 2}])

    assert read_tasks(path) == [{"id": 1, "data": {"a": 1}}, {"id": 2, "data": {"a": 2}}]


def test_the_same_content_is_the_same_project_wherever_it_lies(tmp_path):
    first, second = written(tmp_path / "a.json", []), written(tmp_path / "b.json", [])

    assert file_key(first) == file_key(second)
    assert file_key(written(tmp_path / "c.json", [{}])) != file_key(first)
    assert len(file_key(first)) <= 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no", "is no JSON file of tasks"),
        ('{"a": 1}', "must hold a list of tasks"),
        ("[1]", "must hold a list of tasks"),
        ('[{"id": 1, "data": {}}, {"id": 1, "data": {}}]', "2 tasks have 1 different ids"),
        ('[{"id": 1, "data": {}}, {"data": {}}]', "2 tasks have 1 different ids"),
    ],
)
def test_what_is_no_list_of_tasks_is_one_sentence(tmp_path, text, message):
    path = tmp_path / "t.json"
    path.write_text(text)

    with pytest.raises(InputError, match=message):
        read_tasks(path)


def test_tasks_are_written_with_their_predictions_and_nothing_else_changes(tmp_path):
    tasks = [{"id": 1, "data": {"ä": "b"}, "meta": {"x": 1}}, {"id": 2, "data": {}}]
    out = tmp_path / "new" / "out.json"

    write_tasks(out, tasks, lambda task: [{"score": 1}] if task["id"] == 1 else None)

    assert json.loads(out.read_text()) == [{**tasks[0], "predictions": [{"score": 1}]}, tasks[1]]
    assert list(out.parent.iterdir()) == [out]


def test_answers_that_were_in_the_file_are_numbered_so_that_label_studio_knows_them_as_imported(tmp_path):
    told = {"result": [], "was_cancelled": False}
    tasks = [{"id": 1, "data": {}, "annotations": [told, {"id": 88, **told}]}, {"id": 2, "data": {}}]

    write_tasks(tmp_path / "out.json", tasks, lambda task: None)

    first, second = json.loads((tmp_path / "out.json").read_text())
    assert [answer["id"] for answer in first["annotations"]] == [1, 88]
    assert second == tasks[1]


def test_a_file_that_could_not_be_finished_is_not_there(tmp_path):
    def fail(task):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_tasks(tmp_path / "out.json", [{"id": 1}], fail)
    assert not (tmp_path / "out.json").exists()


def test_half_an_emoji_costs_no_task_its_predictions(tmp_path):
    tasks = [{"id": 1, "data": {"note": "half \ud83d"}}, {"id": 2, "data": {"note": "\U0001f600"}}]
    path = tmp_path / "out.json"

    write_tasks(path, tasks, lambda _: [])

    assert read_tasks(path) == [{**task, "predictions": []} for task in tasks]
