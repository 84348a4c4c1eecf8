"""The filters of the page at `/`: read them from its address, and list what can be chosen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from ris.core.types import Verdict
from ris.errors import InputError
from ris.evaluation.decisions.cells import ReportNames
from ris.referring.kinds import KINDS
from ris.store.filters import DecisionFilter

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class PageFilter:
    """What the page shows.

    Attributes:
        chosen: the decisions, by what SQL knows of them.
        kind: kind of expression; None shows all kinds.
    """

    chosen: DecisionFilter
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field of the form.

    Attributes:
        name: in the address of the page.
        label: for people.
        value: what is chosen; "" for nothing.
        choices: values with their texts; None for a date.
    """

    name: str
    label: str
    value: str
    choices: Sequence[tuple[str, str]] | None


def read_page_filter(arguments: Mapping[str, str]) -> PageFilter:
    """Read the filter from the query of an address; empty values are not set.

    Raises:
        InputError: a value is not valid; the sentence names it.
    """
    chosen = DecisionFilter(
        project=arguments.get("project") or None,
        annotator=_read(arguments, "annotator", _to_annotator, "the number of a user, such as 3"),
        verdict=_read(
            arguments, "verdict", Verdict, f"one of {', '.join(verdict.value for verdict in Verdict)}"
        ),
        since=_read(arguments, "since", date.fromisoformat, "a day, such as 2026-01-31"),
        until=_read(arguments, "until", date.fromisoformat, "a day, such as 2026-01-31"),
    )
    return PageFilter(chosen, _read(arguments, "kind", _to_kind, f"one of {', '.join(KINDS)}"))


def _read(
    arguments: Mapping[str, str], name: str, convert: Callable[[str], _Value], expected: str
) -> _Value | None:
    text = arguments.get(name, "")
    if not text:
        return None
    try:
        return convert(text)
    except ValueError as error:
        raise InputError(f"{name} in this page's address must be {expected}, got {text!r:.60}") from error


def _to_annotator(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**31:
        raise ValueError(text)
    return number


def _to_kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError(text)
    return text


def make_filter_fields(
    shown: PageFilter, projects: Sequence[str], annotators: Sequence[int], names: ReportNames
) -> list[FilterField]:
    """Make the fields of the form, with what is chosen now.

    Args:
        shown: what the page shows.
        projects: keys of the projects to choose from.
        annotators: user ids to choose from.
        names: of projects and annotators.
    """
    chosen = shown.chosen
    people = [(str(number), names.name_group("annotator", str(number))) for number in annotators]
    return [
        _make_choice("project", chosen.project or "", [(key, names.name_project(key)) for key in projects]),
        _make_choice("annotator", "" if chosen.annotator is None else str(chosen.annotator), people),
        _make_choice("kind", shown.kind or "", [(kind, kind) for kind in KINDS], "kind of expression"),
        _make_choice(
            "verdict", chosen.verdict or "", [(verdict.value, verdict.value) for verdict in Verdict]
        ),
        FilterField("since", "from (UTC)", "" if chosen.since is None else str(chosen.since), None),
        FilterField("until", "to (UTC)", "" if chosen.until is None else str(chosen.until), None),
    ]


def _make_choice(name: str, value: str, choices: Sequence[tuple[str, str]], label: str = "") -> FilterField:
    return FilterField(name, label or name, str(value), [("", "all"), *choices])
