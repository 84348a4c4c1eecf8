"""Estimate what a JSON text costs in memory as Python objects, without making them."""

from ris.errors import OversizedError

FREE_BYTES = 4 * 2**20  # texts up to this size are not measured
MAX_GROWTH = 8  # bytes of objects for each byte of text; regions of Label Studio need about 4
_CONTAINER_BYTES, _ENTRY_BYTES, _STRING_BYTES, _POINTER_BYTES, _FLOAT_BYTES = 64, 40, 50, 8, 24


def estimate_json_bytes(text: bytes | bytearray) -> int:
    """Estimate the bytes of the objects that a JSON text becomes: from its punctuation, in C speed."""
    n_entries = text.count(b":")
    n_strings = max(text.count(b'"') // 2 - n_entries, 0)  # without keys, which are shared
    n_containers = text.count(b"{") + text.count(b"[")
    n_values = text.count(b",") + n_containers
    return (
        len(text) // 2
        + n_containers * _CONTAINER_BYTES
        + n_entries * _ENTRY_BYTES
        + n_strings * _STRING_BYTES
        + n_values * _POINTER_BYTES
        + text.count(b".") * _FLOAT_BYTES
    )


def check_json_cost(text: bytes | bytearray, route: str) -> None:
    """Refuse a large text of values that are so small that it would cost many times its size.

    Label Studio sends none: its large bodies are run lengths, coordinates, texts and regions.

    Args:
        text: the body.
        route: for the message.

    Raises:
        OversizedError: it would cost more than `MAX_GROWTH` times its size.
    """
    if len(text) <= FREE_BYTES:
        return
    n_bytes = estimate_json_bytes(text)
    if n_bytes > MAX_GROWTH * len(text):
        raise OversizedError(
            f"the body of {route} has {len(text) / 2**20:.0f} MB of very small values, which would take "
            f"{n_bytes / 2**20:.0f} MB of memory: send fewer at a time"
        )
