"""Pictures in a folder by the names that datasets give them.

A name comes from a file that anybody may have written. It is looked up inside the folder and nowhere else: a
path that leads out of it is found by its last part, as is one of another machine.
"""

import re
import unicodedata
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of an uploaded file
ADDRESS_PATTERN = re.compile(r"^([a-z][a-z0-9+.-]+://|/(\S*/)?data/(upload|local-files)/)", re.IGNORECASE)
_FILE_ADDRESS = re.compile(r"^file:[\\/]", re.IGNORECASE)  # a path of another machine, written as an address
DRIVE_PREFIX = re.compile(r"^[a-zA-Z]:")


def is_address(name: str) -> bool:
    """Whether a name is an address, a path of Label Studio or a picture itself: none of a file."""
    return name.startswith("data:") or bool(ADDRESS_PATTERN.match(name) and not _FILE_ADDRESS.match(name))


def get_last_part(name: str) -> str:
    """The file's name at the end of a path of any system, or of an address."""
    if _FILE_ADDRESS.match(name):
        name = unquote(name)
    elif is_address(name):
        parts = urlsplit(name)
        local = parse_qs(parts.query).get("d")
        name = local[0] if local else unquote(parts.path)
    return DRIVE_PREFIX.sub("", name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])


def to_inner_path(name: str) -> str:
    """A path relative to a folder of pictures: as written where it stays inside, else its last part."""
    path = DRIVE_PREFIX.sub("", name.replace("\\", "/"))
    is_outside = path != name.replace("\\", "/") or path.startswith("/") or ".." in path.split("/")
    return (
        get_last_part(name)
        if is_outside or is_address(name) or _FILE_ADDRESS.match(name)
        else PurePosixPath(path).as_posix()
    )


def to_upload_name(name: str) -> str:
    """A file's name as Label Studio's uploads keep it: spaces are `_`; of other characters letters, digits,
    `-`, `_` and `.` stay.
    """
    return re.sub(r"(?u)[^-\w.]", "", UPLOAD_PREFIX.sub("", get_last_part(name)).strip().replace(" ", "_"))


class ImageFolder:
    """A folder of pictures, listed once.

    Args:
        path: its own pictures are found by any name, those in folders of it by their path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._alike: dict[str, Path | None] | None = None

    def find(self, name: str) -> Path | None:
        """The file of a name: by its path, by its last part, or by a name that differs in case, in the form
        of its accents, or as an upload's does, when one file alone has such a name.
        """
        last = get_last_part(name)
        for candidate in (name.lstrip("/"), to_inner_path(name), last, UPLOAD_PREFIX.sub("", last)):
            path = self.path / candidate
            is_inside = candidate not in ("", ".") and ".." not in re.split(r"[\\/]", candidate)
            if is_inside and not DRIVE_PREFIX.match(candidate) and _is_file(path):
                return path
        return self._list_files().get(_normalise_name(last))

    def _list_files(self) -> dict[str, Path | None]:
        if self._alike is None:
            self._alike = {}
            for path in filter(_is_file, sorted(self.path.iterdir()) if self.path.is_dir() else ()):
                key = _normalise_name(path.name)
                self._alike[key] = None if key in self._alike else path
        return self._alike


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or one that no file can have
        return False


def _normalise_name(name: str) -> str:
    return to_upload_name(unicodedata.normalize("NFC", name)).casefold()
