"""`value=` as Label Studio's editor reads it, against a parser that goes character by character."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.labelstudio.config.variable import (
    extract_variable,
    fill_template,
    find_paths,
    find_value,
    get_path_name,
    has_readable_variables,
    is_path,
    put_value,
    split_path,
    to_text,
)

OF_VARIABLES = frozenset(string.ascii_letters + string.digits + "_[].{}")
WRITTEN = st.text(st.sampled_from("ab1 $.[]{}_é-"), max_size=14)
PATHS = st.text(st.sampled_from("ab01.[]"), min_size=1, max_size=8)
DATA = st.recursive(
    st.sampled_from(["x", "the owl", 7, None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "0", "1"]), inner),
    max_leaves=6,
)


def paths_slowly(written):
    """Each variable: `$` and what follows it, without what closes the sentence around it."""
    found, at = [], 0
    while at < len(written):
        if written[at] != "$":
            at += 1
            continue
        end = at + 1
        while end < len(written) and written[end] in OF_VARIABLES:
            end += 1
        path, at = written[at + 1 : end], end
        while path:
            opens = {"]": "[", "}": "{"}.get(path[-1])
            if path[-1] != "." and (opens is None or path.count(opens) >= path.count(path[-1])):
                break
            path = path[:-1]
        if path and path not in found:
            found.append(path)
    return tuple(found)


def find_slowly(data, path):
    """Character by character: a name ends at a dot or a bracket, inside of a bracket at its end."""
    if path in data:
        return data[path]
    name, names, is_inside = "", [], False
    for letter in path:
        if letter == "]" if is_inside else letter in ".[":
            names += [name] if name else []
            name, is_inside = "", letter == "["
        else:
            name += letter
    found = data
    for one in names + ([name] if name else []):
        if isinstance(found, dict) and one in found:
            found = found[one]
        elif isinstance(found, list) and one in [str(i) for i in range(len(found))]:
            found = found[int(one)]
        else:
            return None
    return found


@given(WRITTEN)
def test_variables_are_found_as_letter_by_letter(written):
    assert find_paths(written) == paths_slowly(written)


@given(st.dictionaries(st.sampled_from(["a", "b", "0", "a.b", "a[0]"]), DATA), PATHS.filter(is_path))
def test_a_path_leads_where_it_leads_step_by_step(data, path):
    assert find_value(data, path) == find_slowly(data, path)


@given(st.dictionaries(st.sampled_from(["a", "b", "0"]), DATA), PATHS.filter(is_path))
def test_what_was_put_at_a_path_is_found_there_and_the_rest_stays(data, path):
    data = {name: value for name, value in data.items() if value is not None}
    before = dict(data)

    put_value(data, path, "new")

    assert find_value(data, path) == "new"
    assert all(name in data for name in before)


@pytest.mark.parametrize(
    ("written", "paths"),
    [
        ("$expression", ("expression",)),
        ("Segment this: $expression", ("expression",)),
        ("Segment $expression.", ("expression",)),
        ('the one called "$phrase"!', ("phrase",)),
        ("[$phrase]", ("phrase",)),
        ("$a and $expression", ("a", "expression")),
        ("$a, $b; $a", ("a", "b")),
        ("$meta.caption", ("meta.caption",)),
        ("($captions[1])", ("captions[1]",)),
        ("$image-url", ("image",)),
        ("$$price", ("price",)),
        ("5 $", ()),
        ("$é", ()),
        ("", ()),
    ],
)
def test_a_value_may_have_variables_anywhere(written, paths):
    assert find_paths(written) == paths


@pytest.mark.parametrize(
    ("written", "shown"), [("$a", True), ("see $a!", True), ("see $a.", True), ("[$a]", False)]
)
def test_the_editor_shows_undefined_for_a_bracket_behind_a_variable(written, shown):
    assert has_readable_variables(written) is shown


@pytest.mark.parametrize("path", ["document[{{idx}}].page", "{expression}", "a[", "a[]", ".a", ""])
def test_some_paths_name_nothing(path):
    assert not is_path(path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("captions[1]", "second"),
        ("captions.1", "second"),
        ("captions[2]", None),
        ("captions[01]", None),
        ("meta.caption", "under meta"),
        ("meta[caption]", "under meta"),
        ("meta..caption", "under meta"),
        ("flat.key", "as it is written"),
        ("meta.flat.key", None),
        ("word[0]", None),
        ("missing.key", None),
    ],
)
def test_keys_and_indices_are_walked_and_a_key_as_written_comes_first(path, value):
    data = {
        "captions": ["first", "second"],
        "meta": {"caption": "under meta"},
        "flat.key": "as it is written",
        "flat": {"key": "nested"},
        "word": "owl",
    }

    assert find_value(data, path) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("7", "7"),
        (7, "7"),
        (2.5, "2.5"),
        (7.0, "7"),
        (-0.0, "0"),
        (1e16, "10000000000000000"),
        (1e22, "1e+22"),
        (12345678901234567890, "12345678901234567890"),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        (["7"], None),
        ({"a": "7"}, None),
    ],
)
def test_numbers_are_their_digits_and_nothing_else_is_text(value, text):
    assert to_text(value) == text


def test_a_number_of_thousands_of_digits_is_no_text():
    assert to_text(10**5000) is None


def test_a_value_is_filled_when_everything_in_it_is_there():
    assert fill_template("https://x/$dir[0]/$n.", {"dir": ["a"], "n": 3}) == "https://x/a/3."
    assert fill_template("https://x/$dir/$n", {"dir": "a"}) is None
    assert fill_template("https://x/a", {}) == "https://x/a"
    assert fill_template("$a", {"a": "$b", "b": "never read"}) == "$b"


@given(st.sampled_from(["$a", "x $a", "$a y", "x$a.", "($a)"]), st.text(max_size=5))
def test_a_filled_value_is_parted_again(written, text):
    assert extract_variable(written, fill_template(written, {"a": text})) == text


def test_what_fits_no_value_stands_as_a_whole():
    assert extract_variable("https://x/$a", "http://other") == "http://other"
    assert extract_variable("$a/$b", "one/two") == "one/two"


def test_a_path_is_called_by_its_last_name():
    assert [get_path_name(p) for p in ("a", "meta.caption", "captions[1]", "d[0].text")] == [
        "a", "caption", "captions", "text",
    ]  # fmt: skip
    assert split_path("d[0].text") == ("d", "0", "text")
