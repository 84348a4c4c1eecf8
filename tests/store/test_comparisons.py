import json

from hypothesis import given
from hypothesis import strategies as st

from ris.core.comparison import Comparison
from ris.store.comparisons import comparison_from_text, comparison_to_json

PIXELS = st.integers(0, 10**9)


@given(
    st.builds(
        Comparison,
        st.integers(0, 9),
        st.lists(st.tuples(PIXELS, PIXELS)).map(tuple),
        st.none() | st.floats(0, 1),
        st.lists(st.integers(0, 9)).map(tuple),
        st.dictionaries(st.text(), st.integers(0, 9)),
    )
)
def test_a_comparison_is_the_same_after_json(comparison):
    assert comparison_from_text(json.dumps(comparison_to_json(comparison))) == comparison
