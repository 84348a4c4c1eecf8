import pytest

from ris.errors import SettingsError
from ris.pretrained import linear_speed
from ris.pretrained.linear_speed import SPEED_FILE
from ris.pretrained.precision import check_precision, choose_precision
from ris.pretrained.processor import parse_cpu_flags

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
    assert "is not known" in check_precision("bf16", "cpu", frozenset())


@pytest.mark.parametrize(
    ("gain", "chosen"), [(0.1, "fp32"), (1.0, "fp32"), (1.9, "bf16")], ids=["slower", "equal", "faster"]
)
def test_auto_is_bf16_only_where_it_was_measured_to_be_faster_and_stays_so(
    monkeypatch, tmp_path, gain, chosen
):
    gains = [gain]
    monkeypatch.setattr(linear_speed, "measure_bf16_gain", lambda device: gains.pop())
    folder = tmp_path / "models"  # it is made: the answer must be the same after a restart

    for _ in range(2):
        assert choose_precision("auto", "cpu", folder) == (
            chosen,
            f"{chosen} on cpu, chosen by a measurement",
        )

    assert (folder / SPEED_FILE).is_file()


def test_auto_without_a_folder_to_keep_it_is_measured_and_the_log_says_so(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(linear_speed, "measure_bf16_gain", lambda device: 2.0)
    (tmp_path / "file").touch()

    assert choose_precision("auto", "cpu", tmp_path / "file" / "models")[0] == "bf16"
    assert "RIS_PRECISION=auto is measured at each start" in caplog.text


def test_auto_on_a_device_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(SettingsError, match="RIS_DEVICE is cuda:9, and PyTorch has only"):
        choose_precision("auto", "cuda:9", tmp_path)


def test_a_precision_that_is_set_is_not_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(linear_speed, "measure_bf16_gain", lambda device: pytest.fail("measured"))
    monkeypatch.setattr("ris.pretrained.precision.read_cpu_flags", lambda: {"avx2", "amx_bf16"})

    assert choose_precision("fp32", "cpu", tmp_path) == ("fp32", "fp32 on cpu")
    assert choose_precision("bf16", "cpu", tmp_path) == ("bf16", "bf16 on cpu")
    assert not list(tmp_path.iterdir())
