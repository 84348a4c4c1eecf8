from hypothesis import given
from hypothesis import strategies as st

from ris.export.text_numbers import TextNumbers


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5)))
def test_texts_are_numbered_in_order_of_first_appearance(texts):
    numbers = TextNumbers()
    expected = {text: i for i, text in enumerate(dict.fromkeys(texts))}

    assert [numbers.assign(text) for text in texts] == [expected[text] for text in texts]
    assert list(numbers) == list(expected)
