import pytest

from ris.referring.kinds import find_kind


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("the mug", "plain"),
        ("RED mug", "colour"),
        ("the biggest dog", "size"),
        ("left mug", "position"),
        ("mug on the left of the picture", "position"),
        ("mug left of the plate", "relation"),
        ("left of the plate", "relation"),
        ("man holding a kite", "relation"),
        ("guy in white shirt on left", "position"),
        ("second dog from the left", "ordinal"),
        ("2nd dog", "ordinal"),
        ("dog that is not red", "negation"),
        ("", "plain"),
        ("laptop", "plain"),
        ("赤い", "plain"),
    ],
)
def test_the_words_say_what_kind_it_is(expression, kind):
    assert find_kind(expression) == kind
