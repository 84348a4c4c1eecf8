"""Find JSON in a model's answer: in prose, in fences, with single quotes, cut off. Nothing is completed.

A list or an object counts only if it was closed: a number that was cut off would be another number.
"""

import re
from dataclasses import dataclass, field

# Masks as data URIs can be long and hold digits.
_DATA_URI = re.compile(r"data:[\w/+.-]{0,80};base64,[A-Za-z0-9+/=]*")
_TOKEN = re.compile(
    r"""
      "(?P<double>(?:[^"\\]|\\.){0,500}+)"
    | '(?P<single>[^'\\\n]{0,200}+)'(?=\s*[,:\]}])
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<mark>[\[\]{}:,])
    | (?P<word>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
Scalar = float | str


@dataclass(slots=True)
class Container:
    """A list or an object of an answer, as far as it was written.

    Attributes:
        is_object: whether it has braces.
        pairs: its values with their keys, "" in a list; a key may occur twice.
        is_closed: whether its end was written.
    """

    is_object: bool
    pairs: list[tuple[str, "Scalar | Container"]] = field(default_factory=list)
    is_closed: bool = False

    @property
    def values(self) -> list["Scalar | Container"]:
        """The values without their keys."""
        return [value for _, value in self.pairs]


def scan_containers(text: str) -> list[Container]:
    """Find all lists and objects of a text, outer ones before inner ones, in time proportional to its length.

    Words that are neither strings nor numbers are kept as strings, so that `null` and prose in brackets are
    no error.
    """
    found: list[Container] = []
    stack: list[tuple[Container, str]] = []  # with the key under which the next value comes
    n_open = {True: 0, False: 0}  # objects and lists in the stack
    for match in _TOKEN.finditer(_DATA_URI.sub("", text)):
        mark = match["mark"]
        if mark in ("[", "{"):
            container = Container(mark == "{")
            found.append(container)
            _add_value(stack, container)
            stack.append((container, ""))
            n_open[container.is_object] += 1
        elif mark in ("]", "}"):
            _close(stack, n_open, is_object=mark == "}")
        elif not stack:
            continue
        elif mark == ":":
            _use_last_as_key(stack)
        elif mark is None:
            _add_value(stack, _read_scalar(match))
    return found


def _read_scalar(match: re.Match[str]) -> Scalar:
    if (number := match["number"]) is not None:
        return float(number)
    return next(text for text in match.group("double", "single", "word") if text is not None)


def _add_value(stack: list[tuple[Container, str]], value: "Scalar | Container") -> None:
    if stack:
        container, key = stack[-1]
        container.pairs.append((key, value))
        stack[-1] = (container, "")


def _use_last_as_key(stack: list[tuple[Container, str]]) -> None:
    container, _ = stack[-1]
    if container.is_object and container.pairs and isinstance(container.pairs[-1][1], str):
        stack[-1] = (container, str(container.pairs.pop()[1]))


def _close(stack: list[tuple[Container, str]], n_open: dict[bool, int], *, is_object: bool) -> None:
    """Close the innermost container of this kind; those in it that are open stay unclosed."""
    while n_open[is_object]:
        container, _ = stack.pop()
        n_open[container.is_object] -= 1
        if container.is_object == is_object:
            container.is_closed = True
            return
