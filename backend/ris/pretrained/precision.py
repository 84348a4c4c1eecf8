"""Choose the precision, and check whether the processor has bfloat16 instructions. Imports no network.

PyTorch multiplies in bfloat16 on any processor. Without such instructions it converts to float32 and back:
on an AVX2 processor a task took seven times as long as in float32. PyTorch's own check,
`torch.ops.mkldnn._is_mkldnn_bf16_supported`, is also true for AVX-512 without bfloat16, so the flags of the
processor are read here.
"""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ris.errors import SettingsError
from ris.pretrained.processor import read_cpu_flags

if TYPE_CHECKING:
    from ris.pretrained.device import Precision

log = logging.getLogger(__name__)

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # x86-64, x86-64, ARM


def choose_precision(
    setting: "Literal['auto', 'fp32', 'bf16']", device: str, models: Path
) -> "tuple[Precision, str]":
    """Choose the precision of the methods' networks, and describe precision and device in words.

    Args:
        setting: "auto" takes bf16 where this machine multiplies in it clearly faster than in fp32. It is
            measured once, which imports PyTorch.
        device: as PyTorch names it.
        models: the models folder. It keeps the answer, so that the version of suggestions stays the same; it
            is created if it is missing.

    Returns:
        "fp32" or "bf16", and such as "bf16 on cpu".

    Raises:
        SettingsError: bfloat16 is set on a processor without bfloat16 instructions, or "auto" on a device
            that this machine does not have.
    """
    if setting != "auto":
        return setting, check_precision(setting, device, read_cpu_flags())
    from ris.pretrained.device import check_device  # here: these import PyTorch
    from ris.pretrained.linear_speed import LinearSpeeds

    check_device(device)
    try:
        models.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning(
            "RIS_PRECISION=auto is measured at each start, because %s cannot be created: %s", models, error
        )
    with LinearSpeeds(models) as speeds:
        chosen: Precision = "bf16" if speeds.is_bf16_faster(device) else "fp32"
    return chosen, f"{chosen} on {device}, chosen by a measurement"


def check_precision(precision: str, device: str, flags: Collection[str]) -> str:
    """Check that the processor supports a precision, and describe precision and device in words.

    A precision that the processor lacks is an error and is not replaced: the precision is a part of the
    version of every suggestion, and servers of one project on different machines must agree on it.

    Args:
        precision: "fp32" or "bf16".
        device: as PyTorch names it; only "cpu" is checked.
        flags: the processor's flags; empty where they are not known.

    Returns:
        Such as "bf16 on cpu".

    Raises:
        SettingsError: bfloat16 on a processor without bfloat16 instructions.
    """
    words = f"{precision} on {device}"
    if precision != "bf16" or device != "cpu":
        return words
    if not flags:
        return f"{words}; whether this processor has bf16 instructions is not known"
    if _BF16_FLAGS.isdisjoint(flags):
        best = next(
            (flag for flag in ("avx512f", "avx2", "asimd") if flag in flags), "no vector instructions"
        )
        raise SettingsError(
            "RIS_PRECISION is bf16, and this processor has no bf16 instructions (none of the flags "
            f"{', '.join(sorted(_BF16_FLAGS))}; it has {best}): it would be several times slower than fp32. "
            "Set RIS_PRECISION=fp32, or auto"
        )
    return words
