"""The method `verifier`: a vision-language model chooses among the best few masks, where others are unsure.

The masks are drawn on the picture with numbers, and the model is asked for the number that an expression
refers to, or 0 for none of them. Models prefer certain numbers and places in a list. So it is asked twice,
the second time with every mask under another number. If it names two masks, these two are shown alone, again
twice. What it does not say both times is no vote: a model that always says the same number changes nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.expression import ParsedExpression
from ris.core.types import Image, MethodScores, Size
from ris.errors import EndpointError, GroundingError
from ris.referring.grounder import choose_sent_size
from ris.referring.grounding.dialects import drop_thinking, says_none
from ris.referring.grounding.question import Question
from ris.referring.marks import draw_marks
from ris.referring.protocols import VisionModel
from ris.referring.ranking import RankingSettings, select_distinct
from ris.referring.scene import Scene

VERIFIER = "verifier"
VERIFIER_TEMPERATURE = 0.1  # a vote is 1, everything else 0
VERIFIER_REVISION = "1"  # as `planning.ALGORITHM_REVISION`, of this method alone
MAX_QUESTIONS = 4  # for one expression
_PROMPT = (
    "{n} objects in the image are outlined in colour, and numbered from 1 to {n}. "
    'Which number is on "{e}"? Answer with the number alone. Answer 0 if none of them is that.'
)
_NUMBER = re.compile(r"(?<![\d.])\d{1,2}(?![\d%]|\.\d)")


@dataclass(frozen=True, slots=True)
class VerifierSettings:
    """When the model is asked.

    Attributes:
        margin: it is asked if the best mask's probability exceeds that of the next one by less than this,
            and always where another method says that there is no referent.
        candidates: how many masks it is shown, at least 2 and at most 6.
    """

    margin: float = 0.3
    candidates: int = 4


@dataclass(slots=True)
class _Inquiry:
    """The questions about one expression."""

    scene: Scene
    image: Image
    expression: str
    n_questions: int = 0


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the answers come to: the index of a mask, or None and why; `is_none`: none of them is it."""

    mask: int | None
    words: str
    is_none: bool = False


@dataclass(frozen=True, slots=True)
class Verifier:
    """The method. It is asked after the others have scored.

    Attributes:
        vlm: the model that is asked.
        encode: encodes uint8 [H, W, 3] as a JPEG file of a size (height, width).
        settings: when it is asked.
    """

    vlm: VisionModel
    encode: Callable[[NDArray[np.uint8], Size], bytes]
    settings: VerifierSettings = VerifierSettings()
    name: str = VERIFIER

    def verify(
        self,
        scene: Scene,
        image: Image,
        expression: ParsedExpression,
        fused: NDArray[np.float64],
        ranking: RankingSettings,
        *,
        is_doubted: bool = False,
    ) -> MethodScores:
        """Score the mask that the model chooses 1 and all others 0; the method is skipped without a choice.

        Args:
            scene: with N proposals.
            image: of the scene.
            expression: that of one thing; several things are not asked for.
            fused: float64 [N], the probabilities by the other methods.
            ranking: tells which masks are the same.
            is_doubted: another method says that there is no referent.
        """
        if expression.count != 1:
            return MethodScores(self.name, skipped_reason="the expression refers to several things")
        shown = replace(ranking, alternatives=self.settings.candidates)
        candidates = select_distinct(scene, fused, shown)
        if len(candidates) < 2:
            return MethodScores(self.name, skipped_reason="there are no two masks to choose from")
        lead = float(fused[candidates[0]] - fused[candidates[1]])
        if lead >= self.settings.margin and not is_doubted:
            return MethodScores(
                self.name, skipped_reason=f"the best mask leads by {lead:.2f}; it is not asked"
            )
        inquiry = _Inquiry(scene, image, expression.raw)
        try:
            choice = self._choose(inquiry, candidates)
        except (EndpointError, GroundingError) as error:
            choice = _Choice(None, str(error))
        evidence = {"questions": str(inquiry.n_questions)}
        if choice.mask is None:
            absence = 1.0 if choice.is_none else 0.0
            return MethodScores(self.name, skipped_reason=choice.words, evidence=evidence, absence=absence)
        scores = np.zeros(len(scene.masks), np.float32)
        scores[choice.mask] = 1.0
        place = candidates.index(choice.mask) + 1
        evidence["chosen"] = f"number {place} of the best {len(candidates)}, {choice.words}"
        return MethodScores(self.name, scores, evidence=evidence, absence=-1.0)

    def _choose(self, inquiry: _Inquiry, candidates: Sequence[int]) -> _Choice:
        first, second = self._ask_twice(inquiry, candidates)
        if first == second:
            if first is None:
                return _Choice(None, f"{self.vlm.model} says twice that it is none of them", is_none=True)
            return _Choice(first, "both times")
        if first is not None and second is not None and len(candidates) > 2:
            pair = self._ask_twice(inquiry, (first, second))
            if pair[0] == pair[1] and pair[0] is not None:
                return _Choice(pair[0], "in a duel of two, both times")
        return _Choice(None, f"{self.vlm.model} names another mask when the numbers change")

    def _ask_twice(self, inquiry: _Inquiry, candidates: Sequence[int]) -> tuple[int | None, int | None]:
        """Ask with two numberings in which no mask has the same number; None for "none of them"."""
        turned = (*candidates[1:], candidates[0])
        return self._ask(inquiry, candidates), self._ask(inquiry, turned)

    def _ask(self, inquiry: _Inquiry, order: Sequence[int]) -> int | None:
        masks = [rle.decode_rle(inquiry.scene.masks[i]) for i in order]
        size = choose_sent_size(inquiry.image.size)
        picture = self.encode(draw_marks(inquiry.image.pixels, masks, size), size)
        prompt = _PROMPT.replace("{n}", str(len(order))).replace("{e}", inquiry.expression.replace('"', "'"))
        inquiry.n_questions += 1
        reply = self.vlm.ask(Question(picture, prompt, f"{inquiry.scene.digest} {inquiry.expression}"))
        number = read_number(reply.text, len(order))
        return order[number - 1] if number else None


def read_number(text: str, most: int) -> int:
    """Read the number that an answer gives, 0 for none of them.

    Args:
        text: the answer, perhaps with thoughts before it and words around it.
        most: the largest number that was shown.

    Raises:
        GroundingError: it gives no number, several, or one that was not shown.
    """
    answer = drop_thinking(text)
    found = sorted({int(number) for number in _NUMBER.findall(answer)})
    if not found and says_none(answer):
        return 0
    if len(found) != 1 or found[0] > most:
        what = ", ".join(map(str, found[:5])) or "no number"
        raise GroundingError(f"the verifier was asked for a number from 0 to {most}, and answered {what}")
    return found[0]
