"""The main path: `see` an image once, then `refer` to it once per expression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ris.core import rle
from ris.core.expression import ParsedExpression
from ris.core.proposals import LateProposal
from ris.core.rle import RLE
from ris.core.types import Box, Image, MethodScores, Size, Suggestion
from ris.referring.grounding.things import Grounding
from ris.referring.kinds import find_kind
from ris.referring.late import add_late_proposals
from ris.referring.protocols import Locator, Method, Parser, Proposer, Refiner
from ris.referring.ranking import (
    Coefficients,
    RankingSettings,
    fuse_proposals,
    make_suggestion_version,
    rank_proposals,
)
from ris.referring.scene import PROPOSER_KEY, Scene
from ris.referring.verifier import Verifier


@dataclass(frozen=True, slots=True)
class ReferResult:
    """The result of one expression in one scene.

    Attributes:
        suggestions: best first; empty when there was nothing to rank.
        scores: of every method, including methods that were skipped and did not take part in the ranking.
        version: of the suggestions, see `make_suggestion_version`.
        late: the proposals that were made for this expression alone. Every method's scores are of the
            proposals of the scene, and then of these.
    """

    suggestions: tuple[Suggestion, ...]
    scores: tuple[MethodScores, ...]
    version: str
    late: tuple[LateProposal, ...] = ()

    @property
    def skipped_reasons(self) -> dict[str, str]:
        """By the name of each method that was skipped, why it could not run."""
        return {one.method: one.skipped_reason for one in self.scores if one.skipped_reason}

    def list_masks(self, scene: Scene) -> tuple[RLE, ...]:
        """Return all masks that were ranked, in the order of the scores: the scene's, then the late ones."""
        return (*scene.masks, *(one.mask for one in self.late))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The networks, methods and ranking of one preset. It has no state between calls.

    Attributes:
        proposer: makes the mask proposals.
        parser: parses the expressions.
        methods: score the proposals.
        ranking: fuses the scores and chooses the suggestions.
        refiner: makes masks of clicks, and late proposals; None where the preset has no network for that.
        parsers: by a method's name, the parser that this method uses instead of `parser`.
        verifier: is asked after the methods where they are unsure; None without one.
        version: names the networks, the methods and, where one is in use, the learned ranking.
    """

    proposer: Proposer
    parser: Parser
    methods: tuple[Method, ...]
    ranking: RankingSettings
    version: str
    refiner: Refiner | None = None
    parsers: Mapping[str, Parser] = field(default_factory=dict)
    verifier: Verifier | None = None

    @property
    def method_names(self) -> tuple[str, ...]:
        """The names of the methods, in the order of their scores; that of the verifier comes last."""
        names = tuple(method.name for method in self.methods)
        return (*names, self.verifier.name) if self.verifier else names

    def replace_ranking(self, found: Coefficients, version: str) -> "Pipeline":
        """Return the same pipeline with a learned ranking. Its scenes stay valid.

        Args:
            found: the learned coefficients.
            version: names the networks, the methods and the learned ranking.
        """
        return replace(self, ranking=self.ranking.replace_coefficients(found), version=version)

    def see(self, image: Image) -> Scene:
        """Compute what depends on the image alone. Slow; cache the scene by the image's digest.

        If the image was shrunk when it was decoded, the networks see it shrunk, and the masks and boxes are
        enlarged to its full size.
        """
        seen = Image(image.pixels, image.digest)
        proposals = self.proposer.propose(seen)
        scene = Scene(
            digest=image.digest,
            size=seen.size,
            masks=tuple(rle.encode_rle(mask) for mask in proposals.masks),
            boxes=tuple(_to_box(row) for row in proposals.boxes.tolist()),
            quality=proposals.quality,
            features={
                PROPOSER_KEY: proposals.features,
                **{method.name: method.see(seen, proposals) for method in self.methods},
            },
        )
        return scene if scene.size == image.size else _enlarge_scene(scene, image.size)

    def refer(self, scene: Scene, expression: str, image: Image | None = None) -> ReferResult:
        """Rank the alternatives for one expression. Fast. Any wording is accepted."""
        (reference,) = self.refer_all(scene, [expression], image)
        return reference

    def refer_all(
        self, scene: Scene, expressions: Sequence[str], image: Image | None = None
    ) -> tuple[ReferResult, ...]:
        """Rank the alternatives for several expressions of one image; the networks read them in one batch.

        Args:
            scene: of the image.
            expressions: in any wording.
            image: the image; late proposals and the verifier's pictures are made of it. None makes none.
        """
        parsers = [self.parsers.get(method.name, self.parser) for method in self.methods]
        parsed = {p: [p.parse(e) for e in expressions] for p in dict.fromkeys([self.parser, *parsers])}
        own = parsed[self.parser]
        scenes = [scene] * len(own) if image is None else self._locate_all(scene, own, image)
        by_method = [_score_all(m, scenes, parsed[p]) for m, p in zip(self.methods, parsers, strict=True)]
        return tuple(
            self._rank(one, expression, self._verify(one, expression, tuple(scores), image))
            for one, expression, *scores in zip(scenes, own, *by_method, strict=True)
        )

    def _locate_all(self, scene: Scene, expressions: Sequence[ParsedExpression], image: Image) -> list[Scene]:
        """Make the scene of each expression, with the late proposals of the methods that locate it."""
        scenes = [scene] * len(expressions)
        refiner = self.refiner
        for method in self.methods:
            if refiner is None or not isinstance(method, Locator):
                continue
            wanted = [i for i, e in enumerate(expressions) if self._has_say(method.name, e)]
            answers = method.locate(scene, [expressions[i] for i in wanted]) if wanted else []
            for i, answer in zip(wanted, answers, strict=True):
                scenes[i] = replace(scenes[i], located={**scenes[i].located, method.name: answer})
                if isinstance(answer, Grounding):
                    scenes[i] = add_late_proposals(
                        scenes[i], image, answer, count=expressions[i].count, name=method.name,
                        refiner=refiner, methods=self.methods, same_mask_iou=self.ranking.same_mask_iou,
                    )  # fmt: skip
        return scenes

    def _verify(
        self,
        scene: Scene,
        expression: ParsedExpression,
        scores: tuple[MethodScores, ...],
        image: Image | None,
    ) -> tuple[MethodScores, ...]:
        """Add what the verifier says; one of weight 0 is not asked."""
        verifier = self.verifier
        if verifier is None or image is None or not self._has_say(verifier.name, expression):
            return scores
        settings = self.ranking.select_kind(find_kind(expression.raw))
        fused = fuse_proposals(scene, scores, settings)
        if fused is None:  # none of the others has weight
            fused = fuse_proposals(scene, scores, replace(settings, weights={}))
        if fused is None:
            reason = "there are no masks that another method scored"
            return (*scores, MethodScores(verifier.name, skipped_reason=reason))
        is_doubted = any(one.absence == 1 for one in scores)
        said = verifier.verify(scene, image, expression, fused, settings, is_doubted=is_doubted)
        return (*scores, said)

    def _has_say(self, method: str, expression: ParsedExpression) -> bool:
        """Whether a method has weight; what one of weight 0 says makes no proposals."""
        return self.ranking.select_kind(find_kind(expression.raw)).weights.get(method, 1.0) > 0

    def _rank(
        self, scene: Scene, expression: ParsedExpression, scores: tuple[MethodScores, ...]
    ) -> ReferResult:
        settings = self.ranking.select_kind(find_kind(expression.raw))
        version = make_suggestion_version(self.version, settings.alternatives)
        suggestions = rank_proposals(scene, scores, settings, count=expression.count, version=version)
        return ReferResult(suggestions, scores, version, scene.late_proposals)


def _score_all(
    method: Method, scenes: Sequence[Scene], expressions: Sequence[ParsedExpression]
) -> list[MethodScores]:
    """Score each expression in its scene; those that share one are scored in one batch."""
    if all(scene is scenes[0] for scene in scenes):
        return method.score(scenes[0], expressions) if scenes else []
    pairs = zip(scenes, expressions, strict=True)
    return [scores for scene, one in pairs for scores in method.score(scene, [one])]


def _enlarge_scene(scene: Scene, size: Size) -> Scene:
    """Enlarge the masks and boxes of a scene; the features have no size."""
    masks = tuple(rle.enlarge_rle(mask, size) for mask in scene.masks)
    boxes = [rle.compute_xywh_box(mask) for mask in masks]
    return replace(
        scene,
        size=size,
        masks=masks,
        boxes=tuple((x, y, x + width, y + height) for x, y, width, height in boxes),
    )


def _to_box(row: list[float]) -> Box:
    x1, y1, x2, y2 = row
    return x1, y1, x2, y2
