import json
import logging
import threading
import warnings

import pytest

from ris.web.app import create_app
from ris.web.logs import REQUEST_ID, start_logging


@pytest.fixture(autouse=True)
def as_before():
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    logging.raiseExceptions, threading.excepthook = True, threading.__excepthook__
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


SECRET = "S3cr3tV4lue"
ATTACK = f"a\r\n2026 INFO ris: forged\x1b[2J\u2028\u202e https://u:{SECRET}@h/ X-Api-Key: {SECRET}"


def log_attack():
    message = f"cannot store\nDETAIL: (1, {SECRET}) [SQL: INSERT]"
    try:
        try:
            raise ValueError(message)
        except ValueError as error:
            raise RuntimeError(ATTACK) from error
    except RuntimeError:
        logging.getLogger("ris").exception("%s of %s", "answer", ATTACK)


def test_a_text_log_holds_no_secret_and_no_line_that_a_message_forged(capsys):
    start_logging("INFO", "text")

    log_attack()

    text = capsys.readouterr().err
    first, *others = text.removesuffix("\n").split("\n")
    assert r"answer of a\r\n2026 INFO ris: forged\x1b[2J\u2028\u202e https://***@h/ X-Api-Key: ***" in first
    assert {line[:3] for line in others} == {" | "}
    assert " | ValueError: cannot store" in others
    assert SECRET not in text
    assert not {"\r", "\x1b", "\u2028", "\u202e"} & set(text)


def test_a_json_log_holds_no_secret_and_no_control_character(capsys):
    start_logging("INFO", "json")

    log_attack()

    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert SECRET not in line
    assert "DETAIL" not in line
    assert said["message"].startswith("answer of a\\r\n2026")
    assert not {"\r", "\x1b", "\u2028", "\u202e"} & set("".join(said.values()))


def test_a_traceback_that_another_handler_formatted_is_formatted_anew(capsys):
    start_logging("INFO", "text")
    record = logging.LogRecord("ris", logging.ERROR, "", 1, "failed", (), None)
    error = ValueError("inside")
    record.exc_info, record.exc_text = (ValueError, error, None), f"ValueError: {SECRET}"

    logging.getLogger("ris").handle(record)

    assert SECRET not in capsys.readouterr().err


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_the_exception_of_a_thread_is_a_line_of_the_log(log_format, capsys):
    start_logging("INFO", log_format)

    def fail():
        raise ValueError(ATTACK)

    thread = threading.Thread(target=fail, name="inbox")
    thread.start()
    thread.join()

    text = capsys.readouterr().err
    assert "thread inbox ended with an error" in text
    assert SECRET not in text


def test_a_message_that_cannot_be_formatted_does_not_print_its_arguments(capsys):
    start_logging("INFO", "text")

    logging.getLogger("ris").warning("%d", SECRET)

    assert SECRET not in capsys.readouterr().err


def test_a_path_with_a_line_feed_is_one_line(backend, capsys):
    start_logging("INFO", "text")

    create_app(backend).test_client().get("/x%0a2026%20INFO%20ris:%20forged%1b[2J?token=" + SECRET)

    (line,) = [line for line in capsys.readouterr().err.splitlines() if "forged" in line]
    assert r"GET /x\n2026 INFO ris: forged\x1b[2J 404" in line
    assert SECRET not in line
