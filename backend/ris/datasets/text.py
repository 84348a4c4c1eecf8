"""Read text files in a known encoding; refuse files whose encoding would be a guess.

Rules:

* A byte-order mark decides.
* Without a mark, the text must be valid UTF-8. Text in another encoding is almost never valid UTF-8.
* UTF-16 and UTF-32 without a mark are detected by the zero bytes beside the first character, which is ASCII
  in every table and in all JSON.
* Other encodings decode almost any bytes, so a wrong one would go unnoticed. They are used only if the user
  names them.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from ris.errors import DatasetError

BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins with the mark of UTF-16
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
    (b"%PDF", "a PDF document, not a table"),
    (b"\x89PNG", "an image, not a table"),
    (b"\xff\xd8\xff", "an image, not a table"),
)
MAX_GUESSED_BYTES = 2**16
_HEAD_BYTES = 64
MULTIBYTE_ENCODINGS = frozenset({"big5", "cp932", "cp949", "cp950", "euc_jp", "euc_kr", "gb18030",
"gb2312", "gbk", "johab",
                  "shift_jis", "iso2022_jp", "iso2022_kr", "hz"})  # fmt: skip
ISO_2022_ESCAPES = ("\x1b$", "\x1b(")  # text in ISO 2022 is valid UTF-8, but means other characters


def read_text(path: Path, encoding: str | None = None) -> str:
    """Read a text file, without its byte-order mark.

    Args:
        path: the file.
        encoding: Python's name of the encoding; None detects it by the rules of this module.

    Raises:
        DatasetError: the file cannot be read, is not text, or its encoding cannot be detected.
    """
    check_text_file(path)
    data = path.read_bytes()
    return _decode_text(data, path, encoding or detect_encoding(data)).removesuffix("\x1a")


def check_text_file(path: Path) -> bytes:
    """Check that a file is there and is not known to be binary; return its first bytes.

    Raises:
        DatasetError: it cannot be read, or is not text.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {type(error).__name__}: {error.strerror}") from error
    for start, kind in _BINARY_SIGNATURES:
        if head.startswith(start):
            raise DatasetError(f"{path} is {kind}")
    return head


def iterate_lines(path: Path, encoding: str | None = None) -> Iterator[str]:
    """Yield the lines of a text file with their ends; the same text as `read_text`, a line in memory.

    Args:
        path: the file.
        encoding: as for `read_text`.

    Raises:
        DatasetError: as for `read_text`, where a line is reached that is not text in this encoding.
    """
    known = encoding or detect_encoding(check_text_file(path))
    try:
        with path.open(encoding=known, newline="") as file:
            for number, line in enumerate(file):
                if "\x00" in line or (known == "utf-8" and any(e in line for e in ISO_2022_ESCAPES)):
                    read_text(path, encoding)  # it says what is wrong
                yield (line.removeprefix("\ufeff") if not number else line).removesuffix("\x1a")
    except (UnicodeDecodeError, LookupError):
        read_text(path, encoding)  # it says what is wrong, with the line and a guess
        raise


def detect_encoding(data: bytes) -> str:
    """Detect the encoding; "utf-8" is only a candidate that decoding must confirm."""
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
            f"{path} contains zero bytes: it is not text or not {encoding.upper()}; save it as UTF-8"
        )
    if encoding == "utf-8" and any(escape in text for escape in ISO_2022_ESCAPES):
        raise DatasetError(
            f"{path} is in an ISO 2022 encoding{_guess_encoding(data)}; save it as UTF-8, or name it with "
            f"--encoding"
        )
    return text


def _guess_encoding(data: bytes) -> str:
    """Return a guess for the message, such as " (it may be gbk)".

    Single-byte encodings give "", because all of them fit equally well.
    """
    found = from_bytes(data[:MAX_GUESSED_BYTES]).best()
    return (
        f" (it may be {found.encoding})"
        if found is not None and found.encoding in MULTIBYTE_ENCODINGS
        else ""
    )
