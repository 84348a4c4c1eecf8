"""Consensus as lines of JSON: what most people mean of each task, and the mask by both ways."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.quality.comparing import ComparedAnswers, Consensus
from ris.redaction.text import redact_text


def to_consensus_line(compared: ComparedAnswers, consensus: Consensus | None) -> dict[str, Any]:
    """Convert the consensus of a task to an object for JSON; masks are COCO run lengths.

    "consensus" is "mask", "no referent" or "none", where no more than half of the people mean the same.
    """
    task, answers = compared.group.task, compared.group.answers
    members = () if consensus is None else consensus.members
    staple = None if consensus is None or consensus.staple is None else consensus.staple.mask
    return {
        "project": task.project,
        "task_id": task.task_id,
        "image": redact_text(task.image_url),
        "expression": task.expression,
        "annotators": [one.annotator for one in answers],
        "consensus": _name_consensus(consensus),
        "in_consensus": [answers[i].annotator for i in members],
        "majority": _to_counts(None if consensus is None else consensus.majority),
        "staple": _to_counts(staple),
    }


def _name_consensus(consensus: Consensus | None) -> str:
    if consensus is None:
        return "none"
    return "mask" if consensus.has_referent else "no referent"


def _to_counts(mask: NDArray[np.bool_] | None) -> dict[str, Any] | None:
    if mask is None:
        return None
    return {"size": list(mask.shape), "counts": rle.to_string(rle.encode_rle(mask))}
