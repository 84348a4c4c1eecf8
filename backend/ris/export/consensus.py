"""The consensus of several answers as a sample: which answers it is made of, and its mask pixel by pixel."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ris.core.consensus import find_majority_mask, find_staple_mask
from ris.core.decision import Decision
from ris.core.rle import decode_rle, encode_rle
from ris.core.scratch import open_scratch

_ANSWERS_PER_PAGE = 200

CONSENSUS_MASKS: Mapping[str, Callable[[Sequence[NDArray[np.bool_]]], NDArray[np.bool_]]] = {
    "consensus": find_majority_mask,
    "consensus-staple": find_staple_mask,
}
_Find = Callable[[Sequence[int]], list[Decision]]


class ConsensusFile:
    """Which answers each consensus is made of, in a temporary file: it can be most of the record.

    Args:
        rule: a key of `CONSENSUS_MASKS`, or another `AnswerRule`, by which there is no consensus.
    """

    def __init__(self, rule: str = "") -> None:
        self._to_mask = CONSENSUS_MASKS.get(rule)
        self._scratch = open_scratch("CREATE TABLE member (sample INTEGER, row_id INTEGER);")
        self._scratch.execute("CREATE INDEX member_sample ON member (sample)")

    def add(self, sample: int, members: Sequence[int]) -> None:
        """Add a consensus.

        Args:
            sample: id in SQL of the answer that stands for it.
            members: ids in SQL of all its answers.
        """
        rows = [(sample, member) for member in members]
        self._scratch.executemany("INSERT INTO member VALUES (?, ?)", rows)

    def wrap(self, find: _Find, find_answers: _Find) -> _Find:
        """Return `find` with the masks of the consensus in place of those of the answers that stand for them.

        Args:
            find: returns the answers of some ids.
            find_answers: returns the members of a consensus; may be the same.
        """
        if self._to_mask is None:
            return find

        def find_consensus_of(row_ids: Sequence[int]) -> list[Decision]:
            found = dict(zip(row_ids, find(row_ids), strict=True))
            for part in self._read_parts(row_ids):
                wanted = sorted({member for members in part.values() for member in members})
                answers = dict(zip(wanted, find_answers(wanted), strict=True))
                for sample, members in part.items():
                    found[sample] = self._merge(found[sample], [answers[member] for member in members])
            return [found[row_id] for row_id in row_ids]

        return find_consensus_of

    def _read_parts(self, row_ids: Sequence[int]) -> Iterator[dict[int, list[int]]]:
        """Yield the members of each consensus by its sample, some hundred members at a time."""
        marks = ", ".join("?" * len(row_ids))
        query = f"SELECT sample, row_id FROM member WHERE sample IN ({marks}) ORDER BY sample, rowid"
        part: dict[int, list[int]] = {}
        n_members = 0
        for sample, member in self._scratch.execute(query, list(row_ids)).fetchall():
            if sample not in part and n_members >= _ANSWERS_PER_PAGE:
                yield part
                part, n_members = {}, 0
            part.setdefault(sample, []).append(member)
            n_members += 1
        yield part

    def _merge(self, decision: Decision, answers: Sequence[Decision]) -> Decision:
        masks = [one.correction.annotation.mask for one in answers if one.correction.verdict.has_mask]
        dense = [decode_rle(mask) for mask in masks if mask is not None]
        if not dense or self._to_mask is None:
            return decision
        annotation = replace(decision.correction.annotation, mask=encode_rle(self._to_mask(dense)))
        return replace(decision, correction=replace(decision.correction, annotation=annotation))
