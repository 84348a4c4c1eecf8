import json

from hypothesis import given
from hypothesis import strategies as st

from ris.labelstudio.storable import to_storable

TEXT = st.text(st.characters(categories=None), max_size=6)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(ANYTHING)
def test_what_is_left_can_be_encoded_and_is_json_without_nul(value):
    text = json.dumps(to_storable(value), ensure_ascii=False, allow_nan=False)

    assert "\\u0000" not in text
    assert json.loads(text.encode()) == to_storable(value)


@given(st.recursive(st.integers() | st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.lists))
def test_what_was_sound_stays(value):
    assert to_storable(value) == value


def test_half_a_pair_is_replaced_in_keys_too_and_depth_has_an_end():
    deep = []
    for _ in range(500):
        deep = [deep]

    assert to_storable({"a\ud83d": "b\udd89\0"}) == {"a\ufffd": "b\ufffd"}
    assert json.dumps(to_storable(deep)) == "[" * 100 + "null" + "]" * 100
