"""Find images in a folder by the names that datasets give them.

Names come from untrusted files and are looked up only inside the folder. An absolute path, or a path that
leads out of the folder, is looked up by its last part.
"""

import re
import unicodedata
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")  # prefix of an uploaded file in Label Studio
ADDRESS_PATTERN = re.compile(r"^([a-z][a-z0-9+.-]+://|/(\S*/)?data/(upload|local-files)/)", re.IGNORECASE)
_FILE_ADDRESS = re.compile(r"^file:[\\/]", re.IGNORECASE)  # a path of another machine, written as a URL
DRIVE_PREFIX = re.compile(r"^[a-zA-Z]:")


def is_address(name: str) -> bool:
    """Return whether a name is a URL, a path of Label Studio or a data: URI, and not a file name."""
    return name.startswith("data:") or bool(ADDRESS_PATTERN.match(name) and not _FILE_ADDRESS.match(name))


def get_last_part(name: str) -> str:
    """Return the file name at the end of a path of any operating system, or of a URL."""
    if _FILE_ADDRESS.match(name):
        name = unquote(name)
    elif is_address(name):
        name = _get_address_path(name)
    return DRIVE_PREFIX.sub("", name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])


def _get_address_path(address: str) -> str:
    """Return the path of a URL, or of the file that it names; the whole text if it is no URL, e.g. http://[."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    local = parse_qs(parts.query).get("d")
    return local[0] if local else unquote(parts.path)


def to_inner_path(name: str) -> str:
    """Convert a name to a path relative to the folder; only its last part if it would leave the folder."""
    path = DRIVE_PREFIX.sub("", name.replace("\\", "/"))
    is_outside = path != name.replace("\\", "/") or path.startswith("/") or ".." in path.split("/")
    return (
        get_last_part(name)
        if is_outside or is_address(name) or _FILE_ADDRESS.match(name)
        else PurePosixPath(path).as_posix()
    )


def to_upload_name(name: str) -> str:
    """Convert a file name as Label Studio does on upload.

    Spaces become `_`. Other characters than letters, digits, `-`, `_` and `.` are removed.
    """
    return re.sub(r"(?u)[^-\w.]", "", UPLOAD_PREFIX.sub("", get_last_part(name)).strip().replace(" ", "_"))


class ImageFolder:
    """A folder of images; its listing is read once.

    Args:
        path: the folder. Images in subfolders are found only by their path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._by_name: dict[str, Path | None] | None = None

    def find(self, name: str) -> Path | None:
        """Find the file of a name.

        It is looked up by its path and by its last part. After that, case, Unicode normal form and the
        changes that Label Studio makes on upload are ignored, if exactly one file matches.

        Returns:
            The path; None if no file or more than one matches.
        """
        last = get_last_part(name)
        for candidate in (name.lstrip("/"), to_inner_path(name), last, UPLOAD_PREFIX.sub("", last)):
            path = self.path / candidate
            is_inside = candidate not in ("", ".") and ".." not in re.split(r"[\\/]", candidate)
            if is_inside and not DRIVE_PREFIX.match(candidate) and _is_file(path):
                return path
        return self._list_files().get(_normalise_name(last))

    def _list_files(self) -> dict[str, Path | None]:
        if self._by_name is None:
            self._by_name = {}
            for path in filter(_is_file, sorted(self.path.iterdir()) if self.path.is_dir() else ()):
                key = _normalise_name(path.name)
                self._by_name[key] = None if key in self._by_name else path
        return self._by_name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or one that no file can have
        return False


def _normalise_name(name: str) -> str:
    return to_upload_name(unicodedata.normalize("NFC", name)).casefold()
