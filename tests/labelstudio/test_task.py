import pytest

from ris.core.types import Task
from ris.errors import InputError, LabelConfigError
from ris.label_config import read
from ris.labelstudio.task import TaskFailure, read_predict_request, read_setup_request

CONFIG = read("tabs_brush.xml")


def request(*tasks, **more):
    return {"tasks": list(tasks), "project": "1.1795219546", "label_config": CONFIG, "params": {}} | more


def task(task_id=17, **data):
    return {"id": task_id, "data": {"image": "/data/upload/1/a.png", "expression": "the left mug"} | data}


def test_a_task_is_read_with_its_project():
    entries = read_predict_request(request(task())).entries

    assert entries == (Task(17, "1.1795219546", "/data/upload/1/a.png", "the left mug"),)


def test_there_is_one_entry_a_task_in_order():
    entries = read_predict_request(request(task(1), {"id": 2}, task(3), "nonsense")).entries

    assert [type(e).__name__ for e in entries] == ["Task", "TaskFailure", "Task", "TaskFailure"]
    assert [e.task_id for e in entries] == [1, 2, 3, None]


def test_one_task_may_come_without_its_list():
    assert len(read_predict_request(request() | {"tasks": task()}).entries) == 1


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"id": 17}, "task 17 has no data"),
        (task(expression=None), 'task 17 has no text under data["expression"]; keys: image, expression'),
        (task(expression="   "), 'task 17 has an empty expression under data["expression"]'),
        (task(expression=True), 'task 17 has no text under data["expression"]'),
        (task(expression={"text": "mug"}), 'task 17 has no text under data["expression"]'),
        (task(expression=[None, " "]), 'task 17 has no text under data["expression"]'),
        (task(expression=float("nan")), 'task 17 has no text under data["expression"]'),
        (task(image=7), 'task 17 has no image under data["image"]'),
        (
            task(expression="mug " * 2000),
            "task 17 has an expression of 2000 words and 7999 characters; 200 words",
        ),
        (task(image=""), 'task 17 has no image under data["image"]; keys: image, expression'),
        (task(image=["a", "b"]), 'task 17 has no image under data["image"]'),
        ({"id": True, "data": {}}, "a task needs an integer id, got True"),
        ({"data": {}}, "a task needs an integer id, got None"),
    ],
)
def test_a_task_that_cannot_be_answered_says_why(broken, reason):
    (failure,) = read_predict_request(request(broken)).entries

    assert isinstance(failure, TaskFailure)
    assert failure.reason.startswith(reason)


@pytest.mark.parametrize("words", ["左のカップ", "الكوب الأيسر", "☕️ links", "the mug's\u2019 “handle”"])
def test_other_scripts_are_expressions_like_any_other(words):
    assert read_predict_request(request(task(expression=words))).entries[0].expression == words


def test_of_several_ways_to_say_it_the_first_is_taken():
    assert read_predict_request(request(task(expression=["", " mug ", "cup"]))).entries[0].expression == "mug"


def test_a_character_that_no_database_takes_is_dropped():
    assert read_predict_request(request(task(expression="mu\x00g"))).entries[0].expression == "mug"


def test_a_click_in_the_editor_is_told_from_a_batch():
    assert read_predict_request(request(task(), params={"context": {"result": []}})).context == {"result": []}
    assert read_predict_request(request(task(), params={"context": None})).context is None


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ([], InputError, "must be a JSON object, got list"),
        ({}, InputError, 'needs "tasks", a list; got NoneType'),
        (request(task()) | {"project": None}, InputError, 'needs "project"'),
        (request(task()) | {"label_config": None}, LabelConfigError, "has no label_config"),
    ],
)
def test_a_body_that_is_no_request_is_refused(body, error, message):
    with pytest.raises(error, match=message):
        read_predict_request(body)


def test_setup_keeps_neither_the_token_nor_the_hostname():
    body = {
        "project": "1.2", "schema": CONFIG, "hostname": "http://evil", "access_token": "secret",
        "extra_params": {"k": 3},
    }  # fmt: skip

    setup = read_setup_request(body)

    assert "secret" not in repr(setup)
    assert "evil" not in repr(setup)
    assert setup.extra_params == {"k": 3}


def test_setup_refuses_a_config_without_a_mask_control():
    with pytest.raises(LabelConfigError, match="no <Image"):
        read_setup_request({"project": "1.2", "schema": "<View/>"})


IMAGE = '<Image name="image" value="$image"/>'
BRUSH = '<BrushLabels name="mask" toName="image"><Label value="Referent"/></BrushLabels>'


def asked(tag, data, image=IMAGE):
    config = f"<View>{tag}{image}{BRUSH}</View>"
    read_setup_request({"project": "7.1", "schema": config})
    (entry,) = read_predict_request(
        request({"id": 1, "data": {"image": "/a.png"} | data}, label_config=config)
    ).entries
    return entry.expression if isinstance(entry, Task) else entry.reason


@pytest.mark.parametrize(
    ("tag", "data", "expression"),
    [
        ('<Header value="Segment this: $expression"/>', {"expression": "the green owl"}, "the green owl"),
        ("<Header>Segment this: $expression</Header>", {"expression": "the green owl"}, "the green owl"),
        ('<Header value="$a and $expression"/>', {"a": "no", "expression": "the owl"}, "the owl"),
        ('<Header value="$expression"/>', {"expression": 7}, "7"),
        ('<Header value="$expression"/>', {"expression": 2.5}, "2.5"),
        ('<Header value="$meta.caption"/>', {"meta": {"caption": "the owl", "source": "x"}}, "the owl"),
        ('<Header value="$meta.caption"/>', {"meta.caption": "the owl"}, "the owl"),
        ('<Text name="t" value="$captions[1]"/>', {"captions": ["first", "the owl"]}, "the owl"),
        (
            '<HyperText name="t" value="$html"/>',
            {"html": "<p>the <b>green</b> owl &amp; nothing&nbsp;else</p>"},
            "the green owl & nothing else",
        ),
        (
            '<Paragraphs name="t" value="$dialogue"/>',
            {"dialogue": [{"author": "A", "text": "the green"}, {"author": "B", "text": "owl"}]},
            "the green owl",
        ),
        (
            '<Text name="image_no" value="$image_id"/><Text name="phrase" value="$phrase"/>',
            {"image_id": "COCO_581857", "phrase": "the green owl"},
            "the green owl",
        ),
        ('<Header value="$expression"/>', {"expression": "owl \ud83d"}, "owl \ufffd"),
        (
            '<Text name="t" value="$captions[1]"/>',
            {"captions": ["first"]},
            'task 1 has no text under data["captions[1]"]; keys: image, captions',
        ),
    ],
)
def test_what_is_asked_is_what_the_label_config_shows(tag, data, expression):
    assert asked(tag, data) == expression


def test_an_id_is_never_asked():
    for tags in (
        '<Text name="t" value="$image_id"/>',
        '<Text name="t" value="$image_id"/><TextArea name="prompt" toName="image"/>',
    ):
        config = f"<View>{tags}{IMAGE}{BRUSH}</View>"
        data = {"image": "/a.png", "image_id": "COCO_581857"}
        try:
            (entry,) = read_predict_request(request({"id": 1, "data": data}, label_config=config)).entries
        except LabelConfigError as error:
            assert "shows no expression" in str(error)
        else:
            assert entry.expression == ""


def test_a_presigned_image_keeps_its_signature_and_an_address_loses_its_password():
    presigned = "https://bucket/a.png?X-Amz-Signature=abc"
    body = request(task(1, image=presigned), task(2, image="https://me:secret@host/a.png"))

    assert [entry.image_url for entry in read_predict_request(body).entries] == [
        presigned, "https://***@host/a.png",
    ]  # fmt: skip


def test_the_parameters_of_a_setup_have_no_secrets():
    extra = {"client_secret": "abc", "n": 3, "nested": [{"X-Api-Key": "abc"}]}

    read = read_setup_request({"project": "1.2", "schema": CONFIG, "extra_params": extra})

    assert read.extra_params == {"client_secret": "***", "n": 3, "nested": [{"X-Api-Key": "***"}]}
