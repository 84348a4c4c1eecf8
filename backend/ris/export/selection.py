"""Choose what is exported: which answers, which of them are samples of a dataset, and which image each shows.

Masks are not read for this, except where several answers to a task are compared. What is kept of the record
is 25 bytes a decision; images, what is left out, and what a consensus is made of are on disk.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from ris.core.decision import Decision
from ris.core.types import Verdict
from ris.export.consensus import ConsensusFile
from ris.export.dataset import (
    AnswerRule,
    DatasetSample,
    UnseenReasons,
    check_shares,
    find_image_problem,
    find_verdict_problem,
    make_sample,
)
from ris.export.imagefile import ImageBook, ImageFile
from ris.export.omissions import OmissionFile
from ris.export.resolution import Candidate, resolve_answers
from ris.store.export_pages import ListedAnswer

_DECISIONS_PER_PAGE = 200
_ANSWERS_PER_CHOICE = 500  # answers of whole tasks, among which answers are chosen together
_NO_IMAGE = -1


class AnswerSource(Protocol):
    """Where the current answers are read from, as in `store.export_pages.AnswerPages`."""

    def list_answers(self) -> Iterator[ListedAnswer]:
        """Yield all current answers, by project, task and annotation."""

    def find_answers(self, row_ids: Sequence[int]) -> list[Decision]:
        """Return answers without alternatives and without images."""

    def find_decisions_of(self, row_ids: Sequence[int]) -> list[Decision]:
        """Return answers with alternatives and without images."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of an export; the report has them, so that `ris validate` can repeat the selection.

    Attributes:
        formats: names of formats, keys of `EXPORT_FORMATS`.
        project: key of one project; None for all.
        verdicts: values of `Verdict`; empty for all.
        resolve: which answer counts if several annotators answered a task. "latest" takes the newest.
            "majority" takes the newest answer with which most answers agree (IoU of at least
            `AGREEMENT_IOU`, or both without a referent). "consensus" takes the pixels in more than half of
            the masks of those who mean the same, if they are more than half; "consensus-staple" weighs these
            masks by STAPLE. "adjudicated" takes the answer that settled the task, or the newest where people
            agree. "all" keeps every answer.
        shares: share of the images by split, in [0, 1]; the rest is "train".
        seed: seed of the split. The split of an image depends on its bytes and the seed alone.
    """

    formats: Sequence[str]
    project: str | None = None
    verdicts: Sequence[str] = field(default_factory=list)
    resolve: AnswerRule = "latest"
    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class DecisionView:
    """Decisions that are read from the record, page by page, each time that they are iterated over.

    Attributes:
        places: of the decisions in `row_ids`, in the order in which they are yielded.
        row_ids: ids in SQL of all current answers.
        image_numbers: their images in `images`; -1 for an unknown image.
        images: the images.
        find: returns the answers of some ids.
        on_page: is called after each page with the number of decisions that were yielded.
    """

    places: Sequence[int]
    row_ids: Sequence[int]
    image_numbers: Sequence[int]
    images: ImageBook
    find: Callable[[Sequence[int]], list[Decision]]
    on_page: Callable[[int], None] = lambda done: None

    def __len__(self) -> int:
        """Return the number of decisions."""
        return len(self.places)

    def __iter__(self) -> Iterator[Decision]:
        """Yield the decisions."""
        for start in range(0, len(self.places), _DECISIONS_PER_PAGE):
            part = self.places[start : start + _DECISIONS_PER_PAGE]
            for place, one in zip(part, self.find([self.row_ids[i] for i in part]), strict=True):
                number = self.image_numbers[place]
                image = self.images[number] if number != _NO_IMAGE else None
                yield Decision(
                    one.correction, one.alternatives, image.digest if image else None,
                    image.size if image else None, one.version,
                )  # fmt: skip
            self.on_page(start + len(part))

    def list_images(self) -> Iterator[ImageFile]:
        """Yield the known image of each decision, without reading the decisions."""
        numbers = (self.image_numbers[place] for place in self.places)
        return (self.images[number] for number in numbers if number != _NO_IMAGE)

    def watch(self, on_page: Callable[[int], None]) -> "DecisionView":
        """Return the same decisions, whose pages are reported to `on_page`."""
        return replace(self, on_page=on_page)


@dataclass(frozen=True, slots=True)
class SampleView:
    """The samples of decisions, made each time that they are iterated over.

    Attributes:
        decisions: one for each sample, with known images.
        shares: as in `ExportOptions`.
        seed: as in `ExportOptions`.
    """

    decisions: DecisionView
    shares: Mapping[str, float]
    seed: int

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.decisions)

    def __iter__(self) -> Iterator[DatasetSample]:
        """Yield the samples."""
        images = self.decisions.images
        for decision in self.decisions:
            assert decision.image_digest is not None
            yield make_sample(decision, images.find(decision.image_digest), self.shares, self.seed)

    def pick(self, ordinals: Sequence[int]) -> "SampleView":
        """Return some of the samples, by their positions."""
        places = [self.decisions.places[i] for i in ordinals]
        return replace(self, decisions=replace(self.decisions, places=places))

    def watch(self, on_page: Callable[[int], None]) -> "SampleView":
        """Return the same samples, whose pages are reported to `on_page`."""
        return replace(self, decisions=self.decisions.watch(on_page))


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What an export consists of.

    Attributes:
        row_ids: ids in SQL of all current answers, by project, task and annotation.
        image_numbers: their images; -1 for an unknown one.
        has_mask: whether they have a final mask, as 0 or 1.
        records: places of the answers with a chosen verdict.
        pictured: places of those whose image is known and has the size of the mask.
        samples: places of the answers that are samples, by task and expression.
        images: the images of all answers.
        not_chosen: the answers with another verdict.
        unusable: the answers that cannot be samples.
        outvoted: the answers that could be samples, but for another answer to the same task.
        consensus: the answers that samples are a consensus of.
    """

    row_ids: "array[int]" = field(default_factory=lambda: array("q"))
    image_numbers: "array[int]" = field(default_factory=lambda: array("i"))
    has_mask: bytearray = field(default_factory=bytearray)
    records: "array[int]" = field(default_factory=lambda: array("I"))
    pictured: "array[int]" = field(default_factory=lambda: array("I"))
    samples: "array[int]" = field(default_factory=lambda: array("I"))
    images: ImageBook = field(default_factory=ImageBook)
    not_chosen: OmissionFile = field(default_factory=OmissionFile)
    unusable: OmissionFile = field(default_factory=OmissionFile)
    outvoted: OmissionFile = field(default_factory=OmissionFile)
    consensus: ConsensusFile = field(default_factory=ConsensusFile)

    def view(self, places: Sequence[int], find: Callable[[Sequence[int]], list[Decision]]) -> DecisionView:
        """Return decisions of the selection, to be read by `find`."""
        return DecisionView(places, self.row_ids, self.image_numbers, self.images, find)


def select_answers(
    source: AnswerSource,
    options: ExportOptions,
    *,
    unseen: UnseenReasons,
    find_image: Callable[[ListedAnswer], ListedAnswer] = lambda answer: answer,
) -> Selection:
    """Select the answers of an export.

    Args:
        source: the current answers.
        options: the options of the export.
        unseen: why images could not be fetched.
        find_image: returns an answer with its image if that was fetched just now.

    Raises:
        InputError: the shares or a split's name are not valid.
    """
    check_shares(options.shares)
    selection = Selection(consensus=ConsensusFile(options.resolve))
    verdicts = [Verdict(word) for word in options.verdicts]
    for tasks in _read_tasks(find_image(answer) for answer in source.list_answers()):
        groups: list[list[Candidate]] = []
        for answers in tasks:
            groups += _add_task(selection, answers, verdicts, unseen)
        _choose_samples(selection, groups, options.resolve, source)
    return selection


def _read_tasks(answers: Iterable[ListedAnswer]) -> Iterator[list[list[ListedAnswer]]]:
    """Yield the answers by task, several tasks at a time."""
    tasks: list[list[ListedAnswer]] = []
    n_answers = 0
    for _, own in groupby(answers, key=_get_task_number):
        tasks.append(list(own))
        n_answers += len(tasks[-1])
        if n_answers >= _ANSWERS_PER_CHOICE:
            yield tasks
            tasks, n_answers = [], 0
    yield tasks


def _get_task_number(answer: ListedAnswer) -> tuple[str, int]:
    """Return the project and the number of the task that an answer is about."""
    task = answer.settles or answer.task
    return task.project, task.task_id


def _add_task(
    selection: Selection, answers: Sequence[ListedAnswer], verdicts: Sequence[Verdict], unseen: UnseenReasons
) -> list[list[Candidate]]:
    """Add the answers to one task, and return those that can be samples, by image URL and expression."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for answer in answers:
        place, task = len(selection.row_ids), answer.task
        selection.row_ids.append(answer.row_id)
        selection.image_numbers.append(_add_image(selection.images, answer))
        selection.has_mask.append(answer.mask_size is not None)
        problem = find_image_problem(task, answer.image_size, answer.mask_size, unseen)
        if not verdicts or answer.verdict in verdicts:
            selection.records.append(place)
            if not problem:
                selection.pictured.append(place)
        else:
            _omit(selection.not_chosen, answer, f"its verdict is {answer.verdict.value}")
        reason = find_verdict_problem(answer.verdict, verdicts) or problem
        if reason:
            _omit(selection.unusable, answer, reason)
        else:
            asked = answer.settles or task
            groups.setdefault((asked.image_url, asked.expression), []).append(Candidate(place, answer))
    return list(groups.values())


def _add_image(images: ImageBook, answer: ListedAnswer) -> int:
    if answer.image_digest is None or answer.image_size is None:
        return _NO_IMAGE
    return images.add(answer.image_digest, answer.image_size, answer.task)


def _choose_samples(
    selection: Selection, groups: Sequence[Sequence[Candidate]], resolve: AnswerRule, source: AnswerSource
) -> None:
    """Choose the answers that count, and note the others."""
    for group, one in zip(groups, resolve_answers(groups, resolve, source), strict=True):
        selection.samples.extend(kept.place for kept in one.kept)
        if one.members:
            members = [member.answer.row_id for member in one.members]
            selection.consensus.add(one.kept[0].answer.row_id, members)
        for other in group:
            if other.place in one.reasons:
                _omit(selection.outvoted, other.answer, one.reasons[other.place])


def _omit(omissions: OmissionFile, answer: ListedAnswer, reason: str) -> None:
    omissions.add(answer.task.project, answer.task.task_id, answer.annotation_id, reason)
