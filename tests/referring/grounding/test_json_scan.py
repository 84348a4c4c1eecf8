from hypothesis import given
from hypothesis import strategies as st

from ris.referring.grounding.json_scan import scan_containers


def to_python(container):
    if not hasattr(container, "pairs"):
        return container
    if container.is_object:
        return {key: to_python(value) for key, value in container.pairs}
    return [to_python(value) for value in container.values]


def test_json_in_prose_is_found_with_its_keys():
    (outer, inner) = scan_containers('It\'s here: {"box": [1, -2.5e1, "a"]}, I think.')

    assert to_python(outer) == {"box": [1.0, -25.0, "a"]}
    assert inner.is_closed


def test_what_was_not_closed_says_so():
    outer, inner = scan_containers('[{"a": 1')

    assert (outer.is_closed, inner.is_closed) == (False, False)


def test_a_key_may_occur_twice():
    (found,) = scan_containers('{"a": 1, "a": 2}')

    assert found.pairs == [("a", 1.0), ("a", 2.0)]


def test_an_apostrophe_in_prose_is_no_string():
    assert [to_python(one) for one in scan_containers("it's [1, 2] isn't it")] == [[1.0, 2.0]]


@given(st.recursive(st.integers(-999, 999) | st.text("abc ", max_size=5), lambda inner: st.lists(inner)))
def test_nested_lists_are_found_as_written(value):
    found = scan_containers(str(value).replace("'", '"'))

    assert not isinstance(value, list) or to_python(found[0]) == value
