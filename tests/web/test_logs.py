import json
import logging
import warnings

import pytest

from ris.web.app import create_app
from ris.web.logs import REQUEST_ID, start_logging


@pytest.fixture(autouse=True)
def as_before():
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    logging.captureWarnings(False)


def test_a_line_is_an_object_with_the_id_of_its_request(capsys):
    start_logging("INFO", "json")
    token = REQUEST_ID.set("abc")

    logging.getLogger("ris").warning("task %d\nhas none", 3)

    REQUEST_ID.reset(token)
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert said.pop("time")
    assert said == {"level": "WARNING", "logger": "ris", "request_id": "abc", "message": "task 3\nhas none"}


def test_an_exceptions_traceback_stays_within_its_line(capsys):
    start_logging("INFO", "json")
    try:
        raise ValueError("inside")
    except ValueError:
        logging.getLogger("ris").exception("failed")

    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: inside" in json.loads(line)["exc_info"]


def test_below_the_level_nothing_is_written(capsys):
    start_logging("WARNING", "text")

    logging.getLogger("ris").info("quiet")
    logging.getLogger("ris").warning("loud")

    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("WARNING ris: loud")


def test_a_warning_of_python_is_a_line_of_the_log(capsys):
    start_logging("INFO", "json")

    warnings.showwarning(FutureWarning("old"), FutureWarning, "module.py", 1)

    (line,) = capsys.readouterr().err.splitlines()
    assert "FutureWarning: old" in json.loads(line)["message"]


def test_nameless_chatter_is_left_out_and_nameless_warnings_are_not(capsys):
    start_logging("INFO", "text")

    logging.info("Instantiating model architecture")
    logging.warning("loud")

    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_a_request_sets_off_in_other_threads_is_logged_under_its_id(backend, gate, capsys):
    start_logging("INFO", "json")
    gate.opened.set()
    task = {"id": 1, "data": {"image": "gone", "expression": "the red"}}
    config = (
        '<View><Text name="t" value="$expression"/><Image name="i" value="$image"/>'
        '<BrushLabels name="m" toName="i"><Label value="R"/></BrushLabels></View>'
    )

    answer = create_app(backend).test_client().post(
        "/predict", json={"tasks": [task], "project": "1.2", "label_config": config}
    )  # fmt: skip

    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    ours = [s for s in said if s["logger"].startswith("ris")]
    assert [s["request_id"] for s in ours] == [answer.headers["X-Request-Id"]] * len(ours)
    assert any("Label Studio answered 404" in s["message"] for s in ours)
