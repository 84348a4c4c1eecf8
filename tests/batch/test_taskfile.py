import json

import pytest

from ris.batch.taskfile import DataKeys, TaskFile, compute_file_key, write_tasks
from ris.datasets.entry import Defect
from ris.errors import InputError


def scan(path, keys=DataKeys()):  # noqa: B008
    """Return the tasks of a file, and its defects."""
    found = list(TaskFile(path, keys).scan())
    tasks = [one for one in found if not isinstance(one, Defect)]
    return tasks, [(one.what, one.reason) for one in found if isinstance(one, Defect)]


def read_file_tasks(path):
    return scan(path)[0]


def written(path, value):
    path.write_text(json.dumps(value))
    return path


def test_tasks_without_an_id_have_their_place_for_one(tmp_path):
    path = written(tmp_path / "t.json", [{"data": {"a": 1}}, {"a": 2}])

    assert read_file_tasks(path) == [{"id": 1, "data": {"a": 1}}, {"id": 2, "data": {"a": 2}}]


def test_the_same_content_is_the_same_project_wherever_it_lies(tmp_path):
    first, second = written(tmp_path / "a.json", []), written(tmp_path / "b.json", [])

    assert compute_file_key(first) == compute_file_key(second)
    assert compute_file_key(written(tmp_path / "c.json", [{}])) != compute_file_key(first)
    assert len(compute_file_key(first)) <= 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no", "is not a file of tasks"),
        ('{"images": [], "annotations": []}', "is a COCO file"),
        ("[1]", "must hold a list of tasks"),
        ('[{"id": 1, "data": {}}, {"id": 1, "data": {}}]', "2 tasks have 1 different ids"),
        (
            '[{"id": 1, "data": {}}, {"data": {}}]',
            "1 of 2 tasks have no id that is a whole number; give an id",
        ),
        ('[{"id": 1, "data": {}}, {"id": null, "data": {}}]', "1 of 2 tasks have no id"),
        ("[]", "t.json has no task"),
        ("image,expression\n", "t.json has no task"),
    ],
)
def test_what_is_no_list_of_tasks_is_one_sentence(tmp_path, text, message):
    path = tmp_path / "t.json"
    path.write_text(text)

    with pytest.raises(InputError, match=message):
        read_file_tasks(path)


def test_tasks_are_written_with_their_predictions_and_nothing_else_changes(tmp_path):
    tasks = [{"id": 1, "data": {"ä": "b"}, "meta": {"x": 1}}, {"id": 2, "data": {}}]
    out = tmp_path / "new" / "out.json"

    write_tasks(out, zip(tasks, [[{"score": 1}], None], strict=True))

    assert json.loads(out.read_text()) == [{**tasks[0], "predictions": [{"score": 1}]}, tasks[1]]
    assert list(out.parent.iterdir()) == [out]


def test_answers_that_were_in_the_file_are_numbered_so_that_label_studio_knows_them_as_imported(tmp_path):
    told = {"result": [], "was_cancelled": False}
    tasks = [{"id": 1, "data": {}, "annotations": [told, {"id": 88, **told}]}, {"id": 2, "data": {}}]

    write_tasks(tmp_path / "out.json", [(task, None) for task in tasks])

    first, second = json.loads((tmp_path / "out.json").read_text())
    assert [answer["id"] for answer in first["annotations"]] == [1, 88]
    assert second == tasks[1]


def test_a_file_that_could_not_be_finished_is_not_there(tmp_path):
    def fail():
        yield {"id": 1}, None
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_tasks(tmp_path / "out.json", fail())
    assert not (tmp_path / "out.json").exists()


def test_half_an_emoji_costs_no_task_its_predictions(tmp_path):
    tasks = [{"id": 1, "data": {"note": "half \ud83d"}}, {"id": 2, "data": {"note": "\U0001f600"}}]
    path = tmp_path / "out.json"

    write_tasks(path, [(task, []) for task in tasks])

    assert read_file_tasks(path) == [{**task, "predictions": []} for task in tasks]


MIN = [
    {"image": "a.png", "expression": "the owl", "id": 5701, "annotator": 1, "annotation_id": 88},
    {"image": "a.png", "expression": "the owl", "id": 5701, "annotator": 2, "annotation_id": 90},
    {"image": "b.png", "expression": "the dog", "id": "5702", "annotator": 1, "annotation_id": 89},
]


def test_json_min_keeps_the_ids_of_its_tasks_and_has_each_task_once(tmp_path):
    tasks = read_file_tasks(written(tmp_path / "t.json", MIN))

    assert [(task["id"], task["data"]["expression"]) for task in tasks] == [
        (5701, "the owl"),
        (5702, "the dog"),
    ]


def test_an_id_of_a_row_that_cannot_be_an_id_of_a_task_is_data(tmp_path):
    rows = [
        {"image": "a.png", "expression": "x", "id": "img_1"},
        {"image": "b.png", "expression": "y", "id": 2.5},
    ]

    assert [task["id"] for task in read_file_tasks(written(tmp_path / "t.json", rows))] == [1, 2]


def test_rows_of_one_id_that_are_no_answers_are_refused(tmp_path):
    rows = [{"image": "a.png", "expression": "x", "id": 7}, {"image": "b.png", "expression": "y", "id": 7}]

    with pytest.raises(InputError, match="2 tasks have 1 different ids; give an id to each or to none"):
        read_file_tasks(written(tmp_path / "t.json", rows))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("shape", [lambda t: t, lambda t: {"tasks": t}])
def test_label_studios_own_json_is_read_with_any_mark(tmp_path, encoding, shape):
    tasks = [{"id": 8, "data": {"image": "a", "expression": "ü"}, "annotations": [], "predictions": [3]}]
    (tmp_path / "t.json").write_text(json.dumps(shape(tasks), ensure_ascii=False), encoding=encoding)

    assert read_file_tasks(tmp_path / "t.json") == tasks


def test_a_table_and_a_folder_of_pictures_are_tasks_under_the_keys_of_the_label_config(tmp_path):
    keys = DataKeys("photo", "question")
    (tmp_path / "captions.csv").write_text("Photo;Question\na.png;the owl\n;nothing\n")

    for path in (tmp_path, tmp_path / "captions.csv"):
        tasks, defects = scan(path, keys)
        assert tasks == [{"id": 1, "data": {"photo": "a.png", "question": "the owl"}}]
        assert [what for what, _ in defects] == ["captions.csv, row 3"]
        file = TaskFile(path, keys)
        assert (file.folder, file.key) == (tmp_path, compute_file_key(tmp_path / "captions.csv"))


def test_rows_with_other_names_get_those_of_the_label_config(tmp_path):
    (task,) = read_file_tasks(written(tmp_path / "t.json", [{"img": "a\\b.png", "caption": 7}]))

    assert task["data"] == {"image": "a/b.png", "expression": "7", "img": "a\\b.png", "caption": 7}


def test_half_an_emoji_and_no_number_come_out_as_json(tmp_path):
    (tmp_path / "t.json").write_text('[{"data": {"image": "\\ud83d", "x": NaN}}]')
    tasks = read_file_tasks(tmp_path / "t.json")

    write_tasks(tmp_path / "out.json", [(task, None) for task in tasks])

    assert json.loads((tmp_path / "out.json").read_text()) == [
        {"id": 1, "data": {"image": "\ud83d", "x": None}}
    ]


def test_what_is_no_task_is_left_out_and_told(tmp_path):
    tasks, defects = scan(written(tmp_path / "t.json", [{"data": {"image": "a"}}, 7]))

    assert len(tasks) == 1
    assert defects == [("t.json, object 2", "it must be an object")]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_table_keeps_the_ids_of_its_rows(tmp_path, separator):
    rows = [("ID", "image", "expression"), ("57", "a.png", "the owl"), ("58.0", "b.png", "the cup")]
    (tmp_path / "t.csv").write_text("\n".join(separator.join(row) for row in rows))

    assert read_file_tasks(tmp_path / "t.csv") == [
        {"id": 57, "data": {"image": "a.png", "expression": "the owl"}},
        {"id": 58, "data": {"image": "b.png", "expression": "the cup"}},
    ]


def test_label_studios_own_csv_has_each_task_once(tmp_path):
    (tmp_path / "t.csv").write_text(
        "annotation_id,annotator,expression,id,image,mask\n"
        '88,1,the owl,5701,a.png,"[{""format"": ""rle""}]"\n'
        "90,2,the owl,5701,a.png,\n"
        "89,1,the dog,5702,b.png,\n"
    )

    assert [(task["id"], task["data"]) for task in read_file_tasks(tmp_path / "t.csv")] == [
        (5701, {"image": "a.png", "expression": "the owl"}),
        (5702, {"image": "b.png", "expression": "the dog"}),
    ]


@pytest.mark.parametrize("number", [7, 7.0, "7", "7.0"])
def test_a_whole_number_is_an_id_however_it_is_written(tmp_path, number):
    rows = [{"id": number, "data": {"a": 1}}, {"id": number, "image": "a", "expression": "b"}]

    assert [read_file_tasks(written(tmp_path / "t.json", [row]))[0]["id"] for row in rows] == [7, 7]


@pytest.mark.parametrize("change", [{"image": "c.png"}, {"expression": "the cup"}])
def test_an_answer_of_json_min_that_says_something_else_of_its_task_is_told(tmp_path, change):
    rows = [MIN[0], MIN[1] | change, MIN[2]]

    tasks, defects = scan(written(tmp_path / "t.json", rows))

    assert [task["id"] for task in tasks] == [5701, 5702]
    assert defects == [
        ("t.json, object 2", "an earlier row has the same id, but another image or expression")
    ]


def test_two_texts_of_an_object_are_told_unless_the_label_config_takes_one(tmp_path):
    path = written(tmp_path / "t.json", [{"image": "a", "caption": "x", "phrase": "y"}])

    with pytest.raises(InputError, match="it has expressions under 'caption' and 'phrase'"):
        scan(path)
    assert scan(path, DataKeys("image", "phrase"))[0][0]["data"]["phrase"] == "y"


def test_what_a_row_says_of_its_referent_does_not_matter_to_a_suggestion(tmp_path):
    row = {"image": "a", "expression": "x", "verdict": "nope", "mask": []}

    assert scan(written(tmp_path / "t.json", [row])) == ([{"id": 1, "data": row}], [])
