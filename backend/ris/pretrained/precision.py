"""Whether this machine's processor computes products in bfloat16 by itself. Imports no network.

PyTorch computes them on any processor. Where the processor cannot, they are made of float32 products and
conversions: on an AVX2 processor a task took seven times as long as in float32. Of PyTorch's own questions
`torch.ops.mkldnn._is_mkldnn_bf16_supported` says yes to AVX-512 without them too; so the flags are read.
"""

import re
from collections.abc import Collection
from pathlib import Path

from ris.errors import SettingsError

CPUINFO = Path("/proc/cpuinfo")
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # x86-64, x86-64, ARM


def parse_cpu_flags(cpuinfo: str) -> frozenset[str]:
    """What a processor can do, as Linux tells it: "flags" on x86-64, "Features" on ARM; of its first core."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def read_cpu_flags() -> frozenset[str]:
    """Of this machine; empty where the system does not tell, as on macOS."""
    return parse_cpu_flags(CPUINFO.read_text(errors="replace")) if CPUINFO.is_file() else frozenset()


def check_precision(precision: str, device: str, flags: Collection[str]) -> str:
    """What the methods compute in, and where, in words.

    It is refused and not replaced: the precision is a part of the version of every suggestion, and servers of
    one project on different machines must not disagree about it.

    Args:
        precision: "fp32" or "bf16".
        device: as PyTorch names it; only of "cpu" anything is asked.
        flags: of the processor; none says that they are not known.

    Raises:
        SettingsError: bfloat16 on a processor that has no products of it.
    """
    words = f"{precision} on {device}"
    if precision != "bf16" or device != "cpu":
        return words
    if not flags:
        return f"{words}; whether this processor has bf16 products is not known"
    if _BF16_FLAGS.isdisjoint(flags):
        best = next((one for one in ("avx512f", "avx2", "asimd") if one in flags), "no vectors")
        raise SettingsError(
            "RIS_PRECISION is bf16, and this processor has no bf16 products (none of the flags "
            f"{', '.join(sorted(_BF16_FLAGS))}; it has {best}): it would be several times slower than fp32. "
            "Set RIS_PRECISION=fp32"
        )
    return words
