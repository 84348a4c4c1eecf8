"""Primary word emphasis against a second, slow, obvious implementation of the paper's formulas."""

from dataclasses import replace

import numpy as np
import pytest

from ris.core.expression import ParsedExpression, Word
from ris.referring.emphasis import TokenPositions, emphasise_primary_word, find_token_positions
from ris.referring.heat import scale_to_unit
from tests.builders.tokens import parse_tokens, spans_of

RANDOM = np.random.default_rng(7)
HEADS, LENGTH, PATCHES = 3, 9, 20


def arrays():
    attention = RANDOM.random((HEADS, LENGTH, PATCHES)).astype(np.float32)
    gradient = RANDOM.normal(size=(HEADS, LENGTH, PATCHES)).astype(np.float32)
    return attention, gradient


def oracle(attention, gradient, focus, primary, n_tokens):
    """PWEM, mode 0, by loops over heads, patches and tokens (section 3 of the paper)."""
    total = np.zeros(PATCHES)
    for head in range(HEADS):
        for patch in range(PATCHES):
            a = [float(attention[head, t, patch]) for t in range(n_tokens)]
            g = [max(float(gradient[head, t, patch]), 0.0) for t in range(n_tokens)]
            own_a = sum(a[t] for t in primary) / len(primary)
            own_g = sum(g[t] for t in primary) / len(primary)
            others = [t for t in sorted(set(focus)) if t not in primary]
            differences = [own_a - a[t] for t in others] or [own_a - 0.0]
            length = sum(d * d for d in differences) ** 0.5 or 1e-8
            stack = [g[0] * a[0]]
            stack += [d / length * own_g * (own_g * own_a) for d in differences]
            extended = list(focus) + list(primary) * len(focus)
            stack += [g[t] * a[t] for t in extended]
            total[patch] += sum(stack) / len(stack)
    total /= HEADS
    return (total - total.min()) / (total.max() - total.min())


@pytest.mark.parametrize(
    ("focus", "primary"),
    [((2, 4, 6), (4,)), ((2, 4, 5, 6), (4, 5)), ((3,), (3,)), ((1, 2, 3, 7), (2,))],
    ids=["one piece", "two pieces", "no other word", "many words"],
)
def test_emphasis_agrees_with_loops_over_the_formulas(focus, primary):
    attention, gradient = arrays()

    got = emphasise_primary_word(attention, gradient, TokenPositions(focus, primary, 8))

    np.testing.assert_allclose(got, oracle(attention, gradient, focus, primary, 8), atol=2e-6)


def test_the_stack_has_one_map_for_the_class_token_each_other_word_each_word_and_each_repetition():
    ones = np.ones((1, 4, 2), np.float32)
    ones[0, :, 1] = 0  # the second patch gets no attention, so the map is 1, 0 whatever the mean is
    pieces = TokenPositions((1, 2), (2,), 4)

    # Attention and gradient are 1 in the first patch: the differences are 0, and so is E. What is left of
    # the stack of 1 + |O| + |F| + |F||m| = 1 + 1 + 2 + 2 maps are five ones.
    assert emphasise_primary_word(ones, ones, pieces).tolist() == [1.0, 0.0]


def test_negative_gradients_count_as_nought():
    attention, gradient = arrays()

    got = emphasise_primary_word(attention, gradient, TokenPositions((1, 2), (2,), 5))

    np.testing.assert_array_equal(
        got, emphasise_primary_word(attention, np.maximum(gradient, 0), TokenPositions((1, 2), (2,), 5))
    )


def test_without_a_primary_word_heads_are_averaged_first_and_the_branches_swap():
    attention, gradient = arrays()
    product = np.maximum(gradient[:, :6], 0).mean(0) * attention[:, :6].mean(0)

    every = emphasise_primary_word(attention, gradient, TokenPositions((1, 2), (), 6))
    class_only = emphasise_primary_word(attention, gradient, TokenPositions((), (), 6))

    np.testing.assert_allclose(every, scale_to_unit(product.mean(0)), atol=1e-6)
    np.testing.assert_allclose(class_only, scale_to_unit(product[0]), atol=1e-6)


def test_the_ablations_are_what_their_names_say():
    attention, gradient = arrays()
    product = np.maximum(gradient, 0) * attention
    pieces = TokenPositions((2, 4), (4,), LENGTH)

    got = {
        name: emphasise_primary_word(attention, gradient, pieces, name)
        for name in ("all words", "focus words", "repeated")
    }

    np.testing.assert_allclose(got["all words"], scale_to_unit(product.mean((0, 1))), atol=1e-6)
    np.testing.assert_allclose(
        got["focus words"], scale_to_unit(product[:, [0, 2, 4]].mean((0, 1))), atol=1e-6
    )
    np.testing.assert_allclose(
        got["repeated"], scale_to_unit(product[:, [0, 2, 4, 4, 4]].mean((0, 1))), atol=1e-6
    )


@pytest.mark.parametrize("emphasis", ["focus words", "repeated"])
def test_the_ablations_take_all_words_where_none_carries_meaning_as_in_the_code(emphasis):
    attention, gradient = arrays()
    product = np.maximum(gradient, 0) * attention

    for primary in ((), (4,)):
        got = emphasise_primary_word(attention, gradient, TokenPositions((), primary, LENGTH), emphasis)
        np.testing.assert_allclose(got, scale_to_unit(product.mean((0, 1))), atol=1e-6)


def test_without_a_primary_word_there_is_nothing_to_repeat():
    attention, gradient = arrays()
    product = np.maximum(gradient, 0) * attention

    got = emphasise_primary_word(attention, gradient, TokenPositions((2, 4), (), LENGTH), "repeated")

    np.testing.assert_allclose(got, scale_to_unit(product[:, [0, 2, 4]].mean((0, 1))), atol=1e-6)


def test_padding_after_the_text_changes_nothing():
    attention, gradient = arrays()
    pieces = TokenPositions((1, 3), (3,), 5)

    for emphasis in ("full", "all words", "focus words", "repeated", "local only"):
        np.testing.assert_allclose(
            emphasise_primary_word(attention, gradient, pieces, emphasis),
            emphasise_primary_word(attention[:, :5], gradient[:, :5], pieces, emphasis),
            atol=1e-6,
        )


def test_token_positions_come_from_characters_and_the_template_shifts_them():
    expression = ParsedExpression(
        "man 's mugs", "man 's mugs", (),
        (Word("man", "NOUN", 0), Word("'s", "PART", 4), Word("mugs", "NOUN", 7)), 2,
    )  # fmt: skip
    text = "there is a man 's mugs"
    spans = [(0, 0), (0, 5), (6, 8), (9, 10), (11, 14), (15, 16), (16, 17), (18, 21), (21, 22), (0, 0)]
    assert [text[a:b] for a, b in spans[1:-1]] == ["there", "is", "a", "man", "'", "s", "mug", "s"]

    assert find_token_positions(expression, spans, offset=11) == TokenPositions((4, 7, 8), (7, 8), 10)
    without_end = spans[:-1]  # the authors' tokenizer sends no [SEP]
    assert find_token_positions(expression, without_end, offset=11) == TokenPositions((4, 7, 8), (7, 8), 9)


def test_only_the_first_sentence_gives_words_to_look_at():
    text = "red mug . left dog"
    both = replace(parse_tokens(text, 1), n_first_sentence=3)

    assert find_token_positions(both, spans_of(text), offset=0) == TokenPositions((1, 2, 3), (2,), 6)
    assert find_token_positions(parse_tokens(text, 1), spans_of(text), offset=0).focus == (1, 2, 3, 4, 5)


def test_a_word_that_was_cut_off_has_no_pieces():
    found = find_token_positions(parse_tokens("the red", 1), [(0, 0), (0, 3)], offset=0)

    assert found == TokenPositions((), (), 2)
