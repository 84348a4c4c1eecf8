"""Text files that people bring: read in the encoding that is known, refused where it would be a guess.

The rule. A byte-order mark decides. Without one, strict UTF-8 decides: text in another encoding is almost
never valid UTF-8 by chance. UTF-16 and UTF-32 without a mark are known by the zero bytes beside the first
character, which is ASCII in every table and in all JSON. Every other encoding gives some text for any bytes,
so no reading can tell that it is the wrong one: it is used only when a person names it.
"""

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from ris.errors import DatasetError

BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY_SIGNATURES = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive: save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV UTF-8"),
    (b"\x1f\x8b", "compressed by gzip: unpack it"),
    (b"PAR1", "Parquet: write it as CSV or JSON"),
    (b"SQLite format 3", "an SQLite database: write its table as CSV or JSON"),
    (b"%PDF", "a PDF document, no table"),
    (b"\x89PNG", "a picture, no table"),
    (b"\xff\xd8\xff", "a picture, no table"),
)
MAX_GUESSED_BYTES = 2**16
MULTIBYTE_ENCODINGS = frozenset({"big5", "cp932", "cp949", "cp950", "euc_jp", "euc_kr", "gb18030",
"gb2312", "gbk", "johab",
                  "shift_jis", "iso2022_jp", "iso2022_kr", "hz"})  # fmt: skip
ISO_2022_ESCAPES = ("\x1b$", "\x1b(")  # ISO 2022: valid UTF-8, and other characters than it seems


def read_text(path: Path, encoding: str | None = None) -> str:
    """A text file, without its byte-order mark.

    Args:
        encoding: Python's name of it, when a person named it; None finds it by the rule of this module.

    Raises:
        DatasetError: it is not there, no text, or in an encoding that cannot be known.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {type(error).__name__}: {error.strerror}") from error
    for start, kind in _BINARY_SIGNATURES:
        if data.startswith(start):
            raise DatasetError(f"{path} is {kind}")
    return _decode_text(data, path, encoding or detect_encoding(data)).removesuffix("\x1a")


def detect_encoding(data: bytes) -> str:
    """The encoding of these bytes; "utf-8" also where that has yet to be proven by decoding."""
    for mark, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return name
    zeros = [byte == 0 for byte in data[:4]]
    patterns = {
        (False, True, True, True): "utf-32-le", (True, True, True, False): "utf-32-be",
        (False, True): "utf-16-le", (True, False): "utf-16-be",
    }  # fmt: skip
    return patterns.get(tuple(zeros)) or patterns.get(tuple(zeros[:2])) or "utf-8"


def _decode_text(data: bytes, path: Path, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise DatasetError(
            f"there is no encoding {encoding!r:.40}; try utf-8, cp1252, cp949, gb18030 or shift_jis"
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{path} is not {encoding.upper()}: byte 0x{data[error.start]:02x} in line {line} does not fit"
            f"{_guess_encoding(data)}; save it as UTF-8 (in Excel: CSV UTF-8), "
            "or name its encoding with --encoding, such as cp1252"
        ) from error
    text = text.removeprefix("\ufeff")
    if "\x00" in text:
        raise DatasetError(
            f"{path} holds zero bytes: it is no text, or not {encoding.upper()}; save it as UTF-8"
        )
    if encoding == "utf-8" and any(escape in text for escape in ISO_2022_ESCAPES):
        raise DatasetError(
            f"{path} is in an ISO 2022 encoding{_guess_encoding(data)}; save it as UTF-8, or name it with "
            f"--encoding"
        )
    return text


def _guess_encoding(data: bytes) -> str:
    """What it may be, for the person to judge; nothing for encodings of one byte, which all fit alike."""
    found = from_bytes(data[:MAX_GUESSED_BYTES]).best()
    return (
        f" (it may be {found.encoding})"
        if found is not None and found.encoding in MULTIBYTE_ENCODINGS
        else ""
    )
