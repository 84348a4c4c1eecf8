import json

import pytest

from ris.pretrained.endpoint.completion import read_completion
from ris.referring.grounding.question import Reply


def complete(content, **rest):
    return json.dumps({"choices": [{"message": {"content": content}, **rest}]}).encode()


@pytest.mark.parametrize(
    "body",
    ["hello", "{}", '{"choices": []}', '{"choices": [{"message": 3}]}', "[1]", "null", "<html>", "[" * 10**5,
     '{"choices": [{"message": {"content": 5}}]}', '{"choices": [{"message": {"content": "\\ud800"}}]}',
     '{"choices": [null]}', '{"choices": {"0": {}}}', ""],
)  # fmt: skip
def test_what_is_no_completion_is_a_value_error(body):
    with pytest.raises(ValueError, match="no chat completion"):
        read_completion(body.encode())


def test_bytes_that_are_no_text_are_a_value_error():
    with pytest.raises(ValueError, match="no chat completion"):
        read_completion(b'{"choices": [{"message": {"content": "\xff"}}]}')


def test_an_answer_without_words_is_empty():
    assert read_completion(complete(None)) == Reply("")


def test_the_parts_of_an_answer_are_joined():
    assert (
        read_completion(complete([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])).text == "ab"
    )


def test_an_answer_that_reached_its_longest_length_is_cut():
    assert read_completion(complete("a", finish_reason="length")).is_cut


def test_what_no_database_stores_is_left_out():
    assert read_completion(complete("a\0b")).text == "ab"


def test_tokens_are_read_where_the_server_counts_them():
    body = json.loads(complete("a")) | {"usage": {"prompt_tokens": 7, "completion_tokens": None}}

    assert read_completion(json.dumps(body).encode()) == Reply("a", tokens_in=7)
