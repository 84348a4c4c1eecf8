import pickle
from collections import OrderedDict

import numpy as np
import pytest

from ris.datasets.pickles import read_pickle
from ris.errors import DatasetError


def written(folder, value, protocol=2):
    (folder / "a.p").write_bytes(
        value if isinstance(value, bytes) else pickle.dumps(value, protocol=protocol)
    )
    return folder / "a.p"


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "number",
    [np.int64(-7), np.int32(7), np.uint8(255), np.float32(0.5), np.float64(-2.25), np.bool_(True),
     np.str_("mug"), np.dtype(">i4").type(7), np.array([3], ">i8")[0]],
)  # fmt: skip
def test_numbers_of_numpy_are_numbers_of_python(tmp_path, number, protocol):
    (found,) = read_pickle(written(tmp_path, [number], protocol))

    assert found == number.item()
    assert type(found) is type(number.item())


def test_numbers_of_an_old_numpy_under_python_2_are_read(tmp_path):
    old = (
        b"cnumpy.core.multiarray\nscalar\np0\n(cnumpy\ndtype\np1\n(S'i8'\np2\nI0\nI1\ntp3\nRp4\n"
        b"(I3\nS'<'\np5\nNNNI-1\nI-1\nI0\ntp6\nbS'\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\np7\ntp8\nRp9\n."
    )

    assert read_pickle(written(tmp_path, old)) == 7


def test_plain_data_is_read_as_it_is(tmp_path):
    value = [{"a": [1, 2.5, None, True, "ü", "日本"], "b": OrderedDict(c=1)}]

    assert read_pickle(written(tmp_path, value)) == value


def test_text_of_python_2_is_utf_8_where_it_can_be(tmp_path):
    assert read_pickle(written(tmp_path, b"S'caf\\xc3\\xa9'\n.")) == "café"
    assert read_pickle(written(tmp_path, b"S'caf\\xe9'\n.")) == "café"


class Runs:
    def __reduce__(self):
        return exec, ("raise SystemExit",)


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        (Runs(), "names (builtins|__builtin__).exec, which no file of refs needs: not opened"),
        (np.arange(3), r"names numpy\..*_reconstruct: write numpy arrays with .tolist\(\)"),
        (np.datetime64("2026-01-01"), "a numpy object that is not a number"),
        (b"no pickle", "cannot be unpickled"),
        (pickle.dumps([1] * 99)[:-20], "cannot be unpickled"),
    ],
)
def test_everything_else_is_refused_unopened(tmp_path, value, pattern):
    with pytest.raises(DatasetError, match=pattern):
        read_pickle(written(tmp_path, value))
