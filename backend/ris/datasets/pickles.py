"""Pickles of refs, opened without running anything: a pickle can name programs, a dataset has no need to.

Lists, dicts, numbers and text need no name. Numbers of numpy do; their two makers are replaced by our own,
which give Python's numbers of the same value and nothing else.
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
    """What numpy's dtype says of a number: its code such as "i8", and its byte order."""

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = str(code), "="

    def __setstate__(self, state: Any) -> None:
        self.order = str(state[1])


def _make_number(kind: Any, raw: Any) -> Any:
    if not isinstance(kind, _NumberType) or kind.code[:1] not in _NUMBER_CODES:
        raise DatasetError("it holds an object of numpy that is no number")
    data = raw.encode("latin-1") if isinstance(raw, str) else bytes(raw)
    order = kind.order if kind.order in "<>=" else "="
    return np.frombuffer(data, np.dtype(order + kind.code), count=1)[0].item()


def _encode_latin(text: str, *_: object) -> bytes:
    """What `_codecs.encode` does for the bytes of old protocols."""
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
        known = ALLOWED.get((module, name))
        if known is None and module.split(".")[0] == "numpy":
            raise DatasetError(
                f"the pickle names {module}.{name}: write arrays of numpy with .tolist(), "
                "its numbers as int(...) or float(...)"
            )
        if known is None:
            raise DatasetError(f"the pickle names {module}.{name}: it is no file of refs, and was not opened")
        return known


def read_pickle(path: Path) -> Any:
    """What a pickle of plain data holds. Text of Python 2 is read as UTF-8, else as Latin-1.

    Raises:
        DatasetError: it holds something else than plain data, or cannot be read.
    """
    try:
        return _repair_text(_PlainUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load())
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(f"{path} cannot be unpickled: {type(error).__name__}: {error}") from error


def _repair_text(value: Any) -> Any:
    """Text of Python 2 comes as Latin-1; where its bytes are UTF-8, that is what they were."""
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
