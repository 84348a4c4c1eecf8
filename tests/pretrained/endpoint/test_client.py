"""The client against a server of its own that behaves, misbehaves and counts."""

import email.utils
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ris.errors import EndpointError, SettingsError
from ris.pretrained.endpoint.breaker import BREAKER_FAILURES
from ris.pretrained.endpoint.budget import CallBudget
from ris.pretrained.endpoint.client import ChatClient, read_retry_after, to_completions_url
from ris.referring.grounding.question import Question, Reply

SCHEMA = {"type": "array"}


@pytest.fixture
def client(server, pauses):
    return ChatClient(
        server.url, model="llava", key="sesame", timeout_s=20, pause=pauses.append, draw=lambda: 0.0
    )


def question(prompt="what?", task="t", schema=None):
    return Question(b"jpeg", prompt, task, schema=schema)


def test_a_question_names_the_model_and_carries_the_key(client, server):
    assert client.ask(question()).text == "WHAT?"

    (asked,) = server.asked
    assert (server.paths, asked["model"], server.keys) == (
        ["/v1/chat/completions"],
        "llava",
        ["Bearer sesame"],
    )
    assert asked["messages"][0]["content"][0]["image_url"]["url"] == "data:image/jpeg;base64,anBlZw=="


@pytest.mark.parametrize(
    "base", ["http://h/v1", "http://h/v1/", "http://h/v1/chat/completions", "http://h/v1/chat/completions/"]
)
def test_the_address_may_be_that_of_the_completions(base):
    assert to_completions_url(base) == "http://h/v1/chat/completions"


def test_an_address_without_a_version_is_told(client, server):
    server.refusals = [404]

    with pytest.raises(EndpointError, match="check .* that its address ends with the version such as /v1"):
        client.ask(question())


def test_without_a_key_none_is_sent(server):
    ChatClient(server.url, model="m").ask(question())

    assert server.keys == [None]


@pytest.mark.parametrize("key", ["sésame", "a\nb", "a\x00b"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_quoted(key):
    with pytest.raises(SettingsError) as caught:
        ChatClient("http://h/v1", model="m", key=key)

    assert key not in str(caught.value)


def test_a_refusal_that_may_pass_is_tried_again_after_longer_and_longer_pauses(client, server, pauses):
    server.refusals = [503, 429]

    assert client.ask(question()).text == "WHAT?"
    assert pauses == [1.0, 2.0]


def test_pauses_are_shortened_by_chance_so_that_clients_do_not_come_together(server, pauses):
    client = ChatClient(server.url, model="m", pause=pauses.append, draw=iter([0.5, 1.0, 0.0]).__next__)
    server.refusals = [500, 500]

    client.ask(question())
    assert pauses == [0.75, 1.0]


def test_the_server_says_how_long_to_wait(client, server, pauses):
    server.refusals, server.headers = [429], {"Retry-After": "7"}

    client.ask(question())
    assert pauses == [7.0]


def test_a_wait_beyond_the_time_limit_is_not_waited_for(client, server, pauses):
    server.refusals, server.headers = [429], {"Retry-After": "3600"}

    with pytest.raises(EndpointError, match="answered 429"):
        client.ask(question())
    assert pauses == []


def test_a_refusal_that_stays_is_told_with_its_status(client, server):
    server.refusals = [500, 500, 500]

    with pytest.raises(EndpointError, match="answered 500 for model 'llava'"):
        client.ask(question())
    assert (len(server.asked), client.usage.calls["failed"], client.usage.calls["retried"]) == (3, 1, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_that_cannot_pass_is_not_tried_again(client, server, status):
    server.refusals = [status]

    with pytest.raises(EndpointError, match=f"answered {status}"):
        client.ask(question())
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_told(pauses):
    client = ChatClient("http://127.0.0.1:1/v1", model="m", pause=pauses.append, draw=lambda: 0.0)

    with pytest.raises(EndpointError, match="cannot be reached"):
        client.ask(question())
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_neither_the_image_nor_the_key_follows_a_redirect(client, server, status):
    server.refusals, server.headers = [status], {"Location": f"{server.url}/elsewhere"}

    with pytest.raises(EndpointError, match="redirects to .*/v1/elsewhere, and neither image nor key"):
        client.ask(question())
    assert len(server.asked) == 1


def test_an_answer_without_end_is_left(client, server):
    server.body = " " * (5 * 2**20)

    with pytest.raises(EndpointError, match="sends more than 4 MiB"):
        client.ask(question())


def test_what_is_no_completion_is_told(client, server):
    server.body = "<html>"

    with pytest.raises(EndpointError, match="is no chat completion"):
        client.ask(question())


def test_a_server_that_is_too_slow_is_told(server, pauses):
    server.gate.clear()
    client = ChatClient(server.url, model="m", timeout_s=0.3, pause=pauses.append)

    with pytest.raises(EndpointError, match="cannot be reached \\(ReadTimeout\\)"):
        client.ask(question())
    assert pauses == []  # one time limit for all attempts
    server.gate.set()


def test_at_most_so_many_questions_are_open_at_once(server):
    server.gate.clear()
    client = ChatClient(server.url, model="m", concurrency=2)

    def open_once_two_are_there():
        while server.open < 2:
            time.sleep(0.01)
        server.gate.set()

    threading.Thread(target=open_once_two_are_there).start()
    with ThreadPoolExecutor(7) as pool:
        replies = list(pool.map(lambda i: client.ask(question(str(i))), range(7)))

    assert ([reply.text for reply in replies], server.most_open) == ([str(i) for i in range(7)], 2)


def test_a_schema_is_sent_where_the_server_takes_it(client, server):
    client.ask(question(schema=SCHEMA))

    sent = server.asked[0]["response_format"]
    assert (sent["type"], sent["json_schema"]["schema"]) == ("json_schema", SCHEMA)


def test_a_server_that_refuses_a_schema_is_asked_for_plain_text_from_then_on(client, server):
    server.takes_schema = False

    assert client.ask(question(schema=SCHEMA)).text == "WHAT?"
    client.ask(question("again?", schema=SCHEMA))
    assert ["response_format" in asked for asked in server.asked] == [True, False, False]


def test_a_refusal_for_another_reason_does_not_end_the_use_of_schemas(client, server):
    server.refusals = [404, 404]
    with pytest.raises(EndpointError, match="answered 404"):
        client.ask(question(schema=SCHEMA))

    client.ask(question(schema=SCHEMA))
    assert ["response_format" in asked for asked in server.asked] == [True, False, True]


def test_after_failures_in_a_row_the_server_is_left_alone(server, pauses):
    client = ChatClient(server.url, model="m", retries=0, pause=pauses.append)
    server.refusals = [500] * BREAKER_FAILURES
    for _ in range(BREAKER_FAILURES):
        with pytest.raises(EndpointError):
            client.ask(question())

    with pytest.raises(EndpointError, match="answered 500 .* it is called again in"):
        client.ask(question())
    assert (len(server.asked), client.usage.calls["refused"]) == (BREAKER_FAILURES, 1)


def test_a_budget_that_is_used_up_is_no_failure_of_the_server(server):
    client = ChatClient(server.url, model="m", budget=CallBudget(1, 100))
    client.ask(question())

    for _ in range(BREAKER_FAILURES + 1):
        with pytest.raises(EndpointError, match="RIS_VLM_MAX_CALLS allows"):
            client.ask(question())
    assert client.ask(question(task="another")).text == "WHAT?"


def test_retries_count_for_the_budget(server, pauses):
    client = ChatClient(server.url, model="m", budget=CallBudget(2, 100), pause=pauses.append)
    server.refusals = [500, 500, 500]

    with pytest.raises(EndpointError, match="called 2 times for this expression"):
        client.ask(question())
    assert len(server.asked) == 2


def test_tokens_and_calls_are_counted(client):
    assert client.ask(question("12345678")) == Reply("12345678", tokens_in=100, tokens_out=2)
    assert client.usage.tokens == {"in": 100, "out": 2}
    assert client.usage.calls["answered"] == 1
    assert client.usage.seconds > 0


def test_no_message_holds_a_secret_of_the_address():
    client = ChatClient("http://me:hush@127.0.0.1:1/v1", model="m", key="sesame", retries=0)

    with pytest.raises(EndpointError) as caught:
        client.ask(question())
    assert "hush" not in str(caught.value) and "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5), (" 0 ", 0), ("", 0), ("soon", 0), ("-3", 0), ("1e9", 0), ("\u0665", 0),
     (email.utils.formatdate(1060, usegmt=True), 60), (email.utils.formatdate(900, usegmt=True), 0),
     ("Mon, 99 Xyz 2026 00:00:00 GMT", 0)],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(value, seconds):
    assert read_retry_after(value, now=1000.0) == seconds
