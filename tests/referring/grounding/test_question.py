import pytest

from ris.referring.grounding.question import Question


def test_equal_questions_have_one_digest_whatever_task_they_serve():
    one, two = Question(b"p", "what?", "a"), Question(b"p", "what?", "b")

    assert one.compute_digest("m") == two.compute_digest("m")


@pytest.mark.parametrize(
    "other",
    [Question(b"q", "what?", "a"), Question(b"p", "where?", "a"), Question(b"p", "what?", "a", 9),
     Question(b"p", "what?", "a", schema={"type": "array"})],
)  # fmt: skip
def test_whatever_is_sent_changes_the_digest(other):
    assert other.compute_digest("m") != Question(b"p", "what?", "a").compute_digest("m")


def test_another_model_is_another_question():
    assert Question(b"p", "what?", "a").compute_digest("m") != Question(b"p", "what?", "a").compute_digest(
        "n"
    )
