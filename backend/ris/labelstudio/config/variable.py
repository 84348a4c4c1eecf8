"""Read and fill the variables of a tag's `value`: `$image`, `$meta.caption`, `$pages[0]`, "Find $phrase".

They are read as the editor of Label Studio 1.23 reads them: `parseValue` in HumanSignal/label-studio,
web/libs/editor/src/utils/data.js, which looks a path up with `get` of es-toolkit (before that, of lodash):

* a variable is `$` and the longest run of letters (a-z), digits and `_ [ ] . { }` after it;
* a key of the data that equals the whole path wins, dots included;
* otherwise the path is walked: `a.b` and `a[b]` are keys of objects, `a[0]` and `a.0` are items of lists;
* surplus dots are skipped, so that a full stop may follow: "Segment $phrase."

Two differences are on purpose. A bracket or brace that closes after a variable ("[$phrase]") is no part of
it, although the editor shows "undefined" there (`has_readable_variables` finds those). And the characters of
a text are no items: `$phrase[0]` of a text is nothing, where the editor shows its first letter.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_VARIABLE = re.compile(r"\$[\w\[\].{}]{1,300}", re.ASCII)
_STEP = re.compile(r"\[([^\]]*)\]?|[^.\[]+")
_MAX_LIST_INDEX = 999  # of a list that we write ourselves


def find_paths(template: str) -> tuple[str, ...]:
    """Find the paths of a value's variables, in order, each once: ("phrase",) of "Segment this: $phrase"."""
    found = (_get_path(match.group()) for match in _VARIABLE.finditer(template))
    return tuple(dict.fromkeys(path for path in found if path))


def has_readable_variables(template: str) -> bool:
    """Tell whether the editor can read every variable of a value: none has a surplus bracket or brace."""
    return all(
        _get_path(match.group()) == match.group()[1:].rstrip(".") for match in _VARIABLE.finditer(template)
    )


def is_path(path: str) -> bool:
    """Tell whether data can have a value at a path: `{{idx}}`, `.a` and `a[]` name nothing."""
    return bool(path) and "{" not in path and "}" not in path and all(split_path(path))


def split_path(path: str) -> tuple[str, ...]:
    """Split a path into its steps: ("pages", "0") of "pages[0]". A step that names nothing is ""."""
    start = ("",) if path.startswith(".") else ()
    found = _STEP.finditer(path)
    return start + tuple(match[0] if match[1] is None else match[1] for match in found)


def get_path_name(path: str) -> str:
    """Return the last step of a path that is no index: "caption" of "meta.caption[0]"."""
    return next((step for step in reversed(split_path(path)) if not step.isdecimal()), path)


def find_value(data: Mapping[str, Any], path: str) -> Any:
    """Find the value at a path of data; None if there is none."""
    if path in data:
        return data[path]
    found: Any = data
    for step in split_path(path):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and _is_index(step) and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def fill_template(template: str, data: Mapping[str, Any]) -> str | None:
    """Replace the variables of a value by their text; None if data lacks one of them."""
    if any(to_text(find_value(data, path)) is None for path in find_paths(template)):
        return None
    return _VARIABLE.sub(lambda match: _fill_variable(match.group(), data), template)


def extract_variable(template: str, filled: str) -> str:
    """Return what the only variable of a value stands for in its filled form; all of a form that differs."""
    variables = _VARIABLE.findall(template)
    if len(variables) != 1:
        return filled
    before, after = template.split(variables[0])
    after = variables[0][1 + len(_get_path(variables[0])) :] + after
    fits = filled.startswith(before) and filled.endswith(after) and len(before + after) <= len(filled)
    return filled[len(before) : len(filled) - len(after)] if fits else filled


def to_text(value: object) -> str | None:
    """Convert text or a number to text as the editor shows it: "7" of 7 and of 7.0; None of other values."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        return None
    try:
        return str(int(value)) if value == int(value) and abs(value) < 1e21 else repr(value)
    except ValueError:  # thousands of digits
        return None


def put_value(data: dict[str, Any], path: str, value: object) -> None:
    """Write a value so that `find_value` finds it at a path. Missing objects and lists are created."""
    first, *rest = split_path(path)
    try:
        data[first] = _put_at(data.get(first), rest, value)
    except KeyError:  # something else is in the way; and a key as template comes first
        data[path] = value


def _get_path(variable: str) -> str:
    """Return the path of a variable without a closing full stop, bracket or brace."""
    path = variable[1:]
    while path.endswith(".") or any(
        path.endswith(end) and path.count(end) > path.count(start) for start, end in ("[]", "{}")
    ):
        path = path[:-1]
    return path


def _fill_variable(variable: str, data: Mapping[str, Any]) -> str:
    path = _get_path(variable)
    return (to_text(find_value(data, path)) or "") + variable[1 + len(path) :] if path else variable


def _is_index(step: str) -> bool:
    return step.isdecimal() and step.isascii() and (step == "0" or step[0] != "0") and len(step) < 10


def _put_at(there: Any, steps: Sequence[str], value: object) -> object:
    """Return what was there, with a value put at the end of some steps.

    Raises:
        KeyError: another value is in the way.
    """
    if not steps:
        if there is not None:
            raise KeyError(value)
        return value
    step, *rest = steps
    is_item = _is_index(step) and int(step) <= _MAX_LIST_INDEX
    if there is None:
        there = [] if is_item else {}
    if isinstance(there, dict):
        return {**there, step: _put_at(there.get(step), rest, value)}
    if not isinstance(there, list) or not is_item:
        raise KeyError(step)
    items = [*there, *[None] * (int(step) + 1 - len(there))]
    items[int(step)] = _put_at(items[int(step)], rest, value)
    return items
