"""Array validation and L2 normalisation."""

import numpy as np
from numpy.typing import DTypeLike, NDArray


def to_read_only(name: str, array: NDArray, dtype: DTypeLike, *shape: int | None) -> NDArray:
    """Check an array's dtype and shape and return a read-only view of it.

    Args:
        name: the array's name in the error message.
        array: checked, never copied or converted.
        dtype: must match exactly.
        shape: one entry per axis; None allows any length.

    Raises:
        ValueError: dtype or shape differs; the message gives the expected and the actual ones.
    """
    wanted = np.dtype(dtype)
    fits = array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if array.dtype != wanted or not fits:
        raise ValueError(
            f"{name} must be {_format_shape(wanted, shape)}, got {_format_shape(array.dtype, array.shape)}"
        )
    view = array.view()
    view.flags.writeable = False
    return view


def normalise_rows(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale the rows of float32 [N, D] to L2 norm 1; a row of zeros stays zero."""
    lengths = np.linalg.norm(features, axis=-1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-12), np.float32)


def _format_shape(dtype: np.dtype, shape: tuple[int | None, ...]) -> str:
    return f"{dtype.name} [{', '.join('any' if n is None else str(n) for n in shape)}]"
