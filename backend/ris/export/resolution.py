"""Choose the answer that counts of the answers to one task, by each rule of `AnswerRule`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ris.core.decision import Decision
from ris.core.referents import compute_answer_ious, find_most_common, number_referents
from ris.core.rle import RLE, decode_rle
from ris.export.consensus import CONSENSUS_MASKS
from ris.export.dataset import AnswerRule, find_majority, get_mask
from ris.store.export_pages import ListedAnswer

_DECISIONS_PER_PAGE = 200
_FEWEST_READ: Mapping[AnswerRule, int] = {
    "majority": 3,  # of one or two answers, the newest is the majority
    "consensus": 2,
    "consensus-staple": 2,
    "adjudicated": 2,
}
OUTCOME_REASON = "it settles what others disagree on, and counts with --resolve adjudicated"
UNSETTLED_REASON = "people disagree on its task, and nobody has settled it: see ris adjudicate"
NO_CONSENSUS_REASON = "no more than half of the answers to its task mean the same"
EMPTY_CONSENSUS_REASON = "no pixel is in the consensus of the answers to its task"


class MaskSource(Protocol):
    """Where answers are read from, as in `store.export_pages.AnswerPages`."""

    def find_answers(self, row_ids: Sequence[int]) -> list[Decision]:
        """Return answers without alternatives and without images."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that can be a sample, with its place in the selection."""

    place: int
    answer: ListedAnswer


@dataclass(frozen=True, slots=True)
class Resolution:
    """What counts of the answers to one task.

    Attributes:
        kept: the answers that are samples.
        members: the answers whose consensus takes the place of the one that is kept; empty for its own mask.
        reasons: why each other answer does not count, by its place.
    """

    kept: tuple[Candidate, ...]
    members: tuple[Candidate, ...]
    reasons: Mapping[int, str]


def resolve_answers(
    groups: Sequence[Sequence[Candidate]], rule: AnswerRule, source: MaskSource
) -> Iterator[Resolution]:
    """Yield what counts of each group, a group being the answers to one task.

    Masks are read only where the rule needs them, of many groups at a time. Of several answers of one person
    the newest is one of those that are compared; answers whose author is unknown are compared only where
    no author is known, and then the newest alone. An answer that settles others counts by the rules "all" and
    "adjudicated".
    """
    labels = [[one for one in group if one.answer.settles is None] for group in groups]
    fewest = _FEWEST_READ.get(rule)
    read = [group for group in labels if fewest is not None and len(group) >= fewest]
    masks = _read_decisions([one for group in read for one in group], source)
    for group, own in zip(groups, labels, strict=True):
        if rule == "all":
            yield Resolution(tuple(group), (), {})
            continue
        outcomes = [one for one in group if one.answer.settles is not None]
        if rule == "adjudicated" and outcomes:
            newest = max(outcomes, key=lambda one: one.answer.updated_at)
            yield _keep(group, newest, rule)
            continue
        resolved = _RULES[rule](_sort_newest(own), masks) if own else Resolution((), (), {})
        reasons = {**resolved.reasons, **{one.place: OUTCOME_REASON for one in outcomes}}
        yield Resolution(resolved.kept, resolved.members, reasons)


def _read_decisions(candidates: Sequence[Candidate], source: MaskSource) -> dict[int, Decision]:
    """Read answers with their masks, by their places."""
    found: dict[int, Decision] = {}
    for start in range(0, len(candidates), _DECISIONS_PER_PAGE):
        part = candidates[start : start + _DECISIONS_PER_PAGE]
        decisions = source.find_answers([one.answer.row_id for one in part])
        found |= {one.place: decision for one, decision in zip(part, decisions, strict=True)}
    return found


def _sort_newest(group: Sequence[Candidate]) -> list[Candidate]:
    return sorted(group, key=lambda one: one.answer.updated_at, reverse=True)


def _keep(
    group: Sequence[Candidate], chosen: Candidate, rule: str, members: Sequence[Candidate] = ()
) -> Resolution:
    reason = f"another answer to the same task counts ({rule})"
    if members:
        reason = f"it is not in the consensus ({rule})"
    counting = {one.place for one in (chosen, *members)}
    merged = f"it is part of the consensus ({rule})"
    reasons = {one.place: merged if one.place in counting else reason for one in group if one is not chosen}
    return Resolution((chosen,), tuple(members), reasons)


def _leave_out(group: Sequence[Candidate], reason: str) -> Resolution:
    return Resolution((), (), {one.place: reason for one in group})


_Rule = Callable[[Sequence[Candidate], Mapping[int, Decision]], Resolution]


def _resolve_latest(newest: Sequence[Candidate], decisions: Mapping[int, Decision]) -> Resolution:
    return _keep(newest, newest[0], "latest")


def _resolve_majority(newest: Sequence[Candidate], decisions: Mapping[int, Decision]) -> Resolution:
    chosen = newest[0]
    if chosen.place in decisions:
        chosen = newest[find_majority([decisions[one.place] for one in newest])]
    return _keep(newest, chosen, "majority")


def _resolve_adjudicated(newest: Sequence[Candidate], decisions: Mapping[int, Decision]) -> Resolution:
    people = _find_people(newest, decisions)
    if len(people) > 1 and len(set(_number_answers(people, decisions))) > 1:
        return _leave_out(newest, UNSETTLED_REASON)
    return _keep(newest, people[0], "adjudicated")


def _make_consensus_rule(rule: AnswerRule) -> _Rule:
    def resolve(newest: Sequence[Candidate], decisions: Mapping[int, Decision]) -> Resolution:
        people = _find_people(newest, decisions)
        if len(people) == 1:
            return _keep(newest, people[0], rule)
        members = [people[i] for i in find_most_common(_number_answers(people, decisions))]
        if not members:
            return _leave_out(newest, NO_CONSENSUS_REASON)
        masks = _get_masks(members, decisions)
        dense = [decode_rle(mask) for mask in masks if mask is not None]
        if dense and not CONSENSUS_MASKS[rule](dense).any():
            return _leave_out(newest, EMPTY_CONSENSUS_REASON)
        return _keep(newest, members[0], rule, members if len(members) > 1 else ())

    return resolve


_RULES: Mapping[AnswerRule, _Rule] = {
    "latest": _resolve_latest,
    "majority": _resolve_majority,
    "adjudicated": _resolve_adjudicated,
    "consensus": _make_consensus_rule("consensus"),
    "consensus-staple": _make_consensus_rule("consensus-staple"),
}


def _find_people(newest: Sequence[Candidate], decisions: Mapping[int, Decision]) -> list[Candidate]:
    """Return the newest answer of each person, newest first; if nobody is known, the newest answer alone."""
    by_person: dict[int, Candidate] = {}
    for one in newest if len(newest) > 1 else ():
        person = decisions[one.place].correction.annotation.annotator
        if person is not None:
            by_person.setdefault(person, one)
    return list(by_person.values()) or [newest[0]]


def _get_masks(group: Sequence[Candidate], decisions: Mapping[int, Decision]) -> list[RLE | None]:
    return [get_mask(decisions[one.place]) for one in group]


def _number_answers(group: Sequence[Candidate], decisions: Mapping[int, Decision]) -> tuple[int, ...]:
    masks = _get_masks(group, decisions)
    return number_referents(masks, compute_answer_ious(masks))
