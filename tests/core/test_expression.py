"""Parsed expressions."""

from dataclasses import FrozenInstanceError

import pytest

from ris.core.expression import ParsedExpression


def test_an_expression_may_have_no_landmark():
    assert ParsedExpression("left mug", "left mug").landmarks == ()


def test_a_parsed_expression_cannot_be_changed():
    parsed = ParsedExpression("the mug on the left", "the mug", ("the left",))

    with pytest.raises(FrozenInstanceError):
        parsed.subject = "the left"  # type: ignore[misc]


def test_expressions_that_say_the_same_are_equal_and_hash_alike():
    one = ParsedExpression("cup near the plate", "cup", ("the plate",))
    other = ParsedExpression("cup near the plate", "cup", ("the plate",))

    assert one == other
    assert len({one, other}) == 1
