import pytest

from ris.errors import LabelStudioError
from ris.labelstudio.api.answers import MLBackendAnswer, ProjectAnswer, check_answer, parse_answer


def test_an_answer_is_read_without_fields_that_nobody_needs():
    sent = {"id": 3, "label_config": None, "token": "secret", "created_by": {"id": 1}}

    assert check_answer(sent, ProjectAnswer, "project 3") == {"id": 3, "label_config": None}
    assert check_answer([], list[MLBackendAnswer], "x") == []


@pytest.mark.parametrize("number", ["3", 3.0, -1, 2**31, True, None, [3]])
def test_no_value_is_converted_to_another_type(number):
    with pytest.raises(LabelStudioError, match="Label Studio's answer for project 3 cannot be read .*id"):
        check_answer({"id": number}, ProjectAnswer, "project 3")


def test_the_message_says_where_and_how_an_answer_is_wrong():
    with pytest.raises(LabelStudioError) as raised:
        check_answer(
            [{"id": 1}, {"id": 2, "url": ["x"]}], list[MLBackendAnswer], "the ML backends of project 3"
        )

    assert str(raised.value) == (
        "Label Studio's answer for the ML backends of project 3 cannot be read (Expected str, got array - at "
        "$[1].url): is RIS_LABEL_STUDIO_URL Label Studio's address, and does a proxy change its answers?"
    )


def test_an_empty_answer_is_none():
    assert parse_answer(b" \n") is None
    assert parse_answer(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("content", [b"<html>", b"[" * 10**6, b"9" * 5000, b'"\xff"', b"{} {}"])
def test_what_is_no_json_is_one_error(content):
    with pytest.raises(ValueError, match=r"."):
        parse_answer(content)
