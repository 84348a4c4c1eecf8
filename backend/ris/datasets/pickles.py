"""Read pickles of refs safely.

Unpickling can call any function that the pickle names. Plain lists, dicts, numbers and text name none. numpy
numbers name two constructors; these are replaced by functions of this module that return Python numbers.
Every other name is refused.
"""

import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from ris.errors import DatasetError

_NUMBER_CODES = frozenset("biufUS")


class _NumberType:
    """Stand-in for numpy.dtype: the type code, such as "i8", and the byte order."""

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = str(code), "="

    def __setstate__(self, state: Any) -> None:
        self.order = str(state[1])


def _make_number(kind: Any, raw: Any) -> Any:
    if not isinstance(kind, _NumberType) or kind.code[:1] not in _NUMBER_CODES:
        raise DatasetError("it holds a numpy object that is not a number")
    data = raw.encode("latin-1") if isinstance(raw, str) else bytes(raw)
    order = kind.order if kind.order in "<>=" else "="
    return np.frombuffer(data, np.dtype(order + kind.code), count=1)[0].item()


def _encode_latin(text: str, *_: object) -> bytes:
    """Stand-in for `_codecs.encode`, which pickles of old protocols name for bytes."""
    return text.encode("latin-1")


ALLOWED = {
    ("numpy", "dtype"): _NumberType,
    ("numpy.core.multiarray", "scalar"): _make_number,
    ("numpy._core.multiarray", "scalar"): _make_number,
    ("_codecs", "encode"): _encode_latin,
    ("collections", "OrderedDict"): OrderedDict,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        stand_in = ALLOWED.get((module, name))
        if stand_in is None and module.split(".")[0] == "numpy":
            raise DatasetError(
                f"the pickle names {module}.{name}: write numpy arrays with .tolist() "
                "and numpy numbers with int(...) or float(...)"
            )
        if stand_in is None:
            raise DatasetError(f"the pickle names {module}.{name}, which no file of refs needs: not opened")
        return stand_in


def read_pickle(path: Path) -> Any:
    """Read a pickle of plain data. Text of Python 2 is decoded as UTF-8, or else as Latin-1.

    Raises:
        DatasetError: the pickle has anything but plain data, or cannot be read.
    """
    try:
        return _repair_text(_PlainUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load())
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(f"{path} cannot be unpickled: {type(error).__name__}: {error}") from error


def _repair_text(value: Any) -> Any:
    """Decode text of Python 2, which was read as Latin-1, as UTF-8 where its bytes are valid UTF-8."""
    if isinstance(value, dict):
        return {_repair_text(key): _repair_text(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_repair_text(one) for one in value]
    if isinstance(value, str) and not value.isascii():
        try:
            return value.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return value
    return value
