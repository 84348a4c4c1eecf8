"""All checks of some tasks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ris.core.expression import ParsedExpression
from ris.core.types import Image, Task
from ris.quality.ambiguity import DEFAULT_MIN_ENTROPY, find_ambiguous
from ris.quality.findings import TaskFinding
from ris.quality.images import check_images, find_shared_images
from ris.quality.mask_checks import MaskLoader, check_masks
from ris.quality.pace import find_fast_answers
from ris.quality.spelling import find_typos
from ris.quality.words import find_missing_heads, find_nearly_same_words, find_odd_characters
from ris.store.checked import CheckedTask


@dataclass(frozen=True, slots=True)
class CheckTools:
    """What the checks need beside the tasks.

    Attributes:
        load_masks: returns the masks of answers.
        parse: parses an English expression.
        load_image: fetches an image; None checks no pictures.
        min_entropy: see `find_ambiguous`.
    """

    load_masks: MaskLoader
    parse: Callable[[str], ParsedExpression]
    load_image: Callable[[Task], Image] | None = None
    min_entropy: float = DEFAULT_MIN_ENTROPY


def check_tasks(tasks: Sequence[CheckedTask], tools: CheckTools) -> Iterator[TaskFinding]:
    """Yield all findings about tasks, check by check."""
    yield from check_masks(tasks, tools.load_masks)
    for task in tasks:
        yield from find_ambiguous(task, min_entropy=tools.min_entropy)
        yield from find_odd_characters(task)
    yield from find_missing_heads(tasks, tools.parse)
    by_image: dict[tuple[str, str], list[CheckedTask]] = {}
    for task in tasks:
        by_image.setdefault(task.image, []).append(task)
    for one in by_image.values():
        yield from find_nearly_same_words(one)
    yield from find_typos(tasks)
    yield from find_fast_answers(tasks)
    yield from find_shared_images(tasks)
    if tools.load_image is not None:
        yield from check_images(tasks, tools.load_image)
