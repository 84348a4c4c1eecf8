import pytest

from ris.errors import SettingsError
from ris.pretrained.precision import check_precision, parse_cpu_flags, read_cpu_flags

X86 = "processor\t: 0\nmodel name\t: flags of\nflags\t\t: fpu avx2 {}\n\nprocessor\t: 1\nflags\t\t: fpu\n"
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd {}\nCPU implementer\t: 0x41\n"


@pytest.mark.parametrize(
    ("cpuinfo", "more"),
    [(X86, "avx512f avx512_bf16"), (X86, "amx_bf16 amx_tile"), (ARM, "sve svebf16 i8mm bf16")],
)
def test_bf16_is_taken_where_the_processor_has_products_of_it(cpuinfo, more):
    assert check_precision("bf16", "cpu", parse_cpu_flags(cpuinfo.format(more))) == "bf16 on cpu"


@pytest.mark.parametrize(
    ("cpuinfo", "more", "has"),
    [(X86, "", "avx2"), (X86, "avx512f avx512bw avx512_vnni", "avx512f"), (ARM, "sve i8mm", "asimd")],
)
def test_bf16_is_refused_where_it_would_be_slower_and_the_sentence_says_what_to_set(cpuinfo, more, has):
    with pytest.raises(SettingsError, match=rf"no bf16 instructions .*it has {has}.*Set RIS_PRECISION=fp32"):
        check_precision("bf16", "cpu", parse_cpu_flags(cpuinfo.format(more)))


def test_a_gpu_and_fp32_are_asked_nothing():
    assert check_precision("bf16", "cuda:1", parse_cpu_flags(X86)) == "bf16 on cuda:1"
    assert check_precision("bf16", "mps", frozenset()) == "bf16 on mps"
    assert check_precision("fp32", "cpu", parse_cpu_flags(X86)) == "fp32 on cpu"


def test_a_processor_of_which_nothing_is_known_is_not_refused_and_that_is_said():
    assert parse_cpu_flags("Hardware\t: BCM2835\n") == frozenset()
    assert "is not known" in check_precision("bf16", "cpu", frozenset())


def test_the_flags_of_this_machine_can_be_read_where_linux_tells_them():
    assert all(flag == flag.strip() and flag for flag in read_cpu_flags())
