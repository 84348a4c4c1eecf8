"""`ris models fetch`: the files of a network from the Hub and the web, whole, and the published ones."""

import fnmatch
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from huggingface_hub import HfApi, constants, hf_hub_download
from tqdm import tqdm

from ris.errors import WeightsError
from ris.pretrained.catalog.sources import HubFiles, Source, WebFile
from ris.pretrained.catalog.weights import MANIFEST, sha256, write_manifest

PIECE = 2**20  # bytes read at once
PATIENCE_S = 30.0  # for an address to go on saying something
STARTED = ".part"  # behind the name of a file that is not whole yet

Advance = Callable[[str, int, int], None]  # file, bytes that are there, bytes in all


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file that has to be there.

    Attributes:
        name: in the network's folder.
        n_bytes: its length; rough where `sha256` is None.
        sha256: None where nobody says it.
        of: where it comes from.
    """

    name: str
    n_bytes: int
    sha256: str | None
    of: HubFiles | WebFile


def wanted(source: Source, *, endpoint: str | None = None) -> list[Wanted]:
    """What a source consists of; asks the Hub what the pinned revisions hold, loads nothing.

    Args:
        endpoint: of the Hub or of a mirror that answers like it; None takes `HF_ENDPOINT`.

    Raises:
        WeightsError: the Hub cannot be asked, or has no such files.
    """
    files: list[Wanted] = []
    for part in source.parts:
        files += (
            [Wanted(part.name, part.n_bytes, part.sha256, part)]
            if isinstance(part, WebFile)
            else _of_hub(part, source.name, endpoint)
        )
    return files


def fetch(
    source: Source, files: Sequence[Wanted], models: Path, advance: Advance,
    *, endpoint: str | None = None, mirror: str | None = None,
) -> Path:  # fmt: skip
    """Bring a source's files into its folder and write down what they are; what is there already stays.

    Args:
        files: what `wanted` said of it.
        models: the folder of the fetched networks.
        advance: told how far each file has come.
        mirror: the address of a folder that the files of the web are taken from instead, by their names.

    Returns:
        The network's folder, complete.

    Raises:
        WeightsError: a file cannot be had, or is not the published one. What came stays, to be gone on with.
    """
    folder = source.lies_in(models)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)  # written last: a folder without it is not whole
    for file in files:
        path = folder / file.name
        if path.is_file() and file.sha256 is not None and sha256(path) == file.sha256:
            continue
        if isinstance(file.of, WebFile):
            url = f"{mirror.rstrip('/')}/{file.name}" if mirror else file.of.url
            _from_web(url, path, file, advance)
        else:
            _from_hub(file.of, file.name, folder, endpoint, advance)
        _compare(path, file)
    for part in source.parts:
        if isinstance(part, WebFile) and part.unpacked is not None:
            _unpack(folder / part.name, part.unpacked, folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the Hub's notes about unfinished files
    write_manifest(folder)
    return folder


def _of_hub(part: HubFiles, name: str, endpoint: str | None) -> list[Wanted]:
    if constants.HF_HUB_OFFLINE:
        raise WeightsError(
            f"HF_HUB_OFFLINE is set, so {name} cannot be fetched; unset it, or copy the folder {name} from a "
            "machine that has it"
        )
    try:
        info = HfApi(endpoint=endpoint).model_info(
            part.repository, revision=part.revision, files_metadata=True
        )
    except Exception as error:  # the Hub's library and its HTTP client have errors of their own
        raise WeightsError(f"the Hub was asked for {part.repository}: {_short(error)}") from error
    there = {file.rfilename: file for file in info.siblings or []}
    names = [name for name in there if any(fnmatch.fnmatch(name, pattern) for pattern in part.files)]
    choices = ([name for name in there if fnmatch.fnmatch(name, pattern)] for pattern in part.weights)
    weights = next((found for found in choices if found), [])
    if part.weights and not weights:
        raise WeightsError(f"{part.repository} at {part.revision[:8]} has none of {', '.join(part.weights)}")
    files = []
    for each in dict.fromkeys(names + weights):
        lfs = there[each].lfs
        said = lfs.sha256 if lfs else None
        known = part.sha256 if each in weights else None
        if known and said and known != said:
            raise WeightsError(
                f"{part.repository}: the Hub has another {each} than the published one: its sha256 begins "
                f"with {said[:12]}, not with {known[:12]}; do not use it"
            )
        files.append(Wanted(each, there[each].size or 0, known or said, part))
    return files


def _from_hub(part: HubFiles, name: str, folder: Path, endpoint: str | None, advance: Advance) -> None:
    class Told(tqdm):  # type: ignore[misc]  # tqdm is not typed
        """The library's bar, drawn by whoever asked."""

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            advance(name, int(self.n), int(self.total or self.n))
            return shown

        def display(self, *_: object, **__: object) -> bool:
            return True

    try:
        hf_hub_download(
            part.repository,
            name,
            revision=part.revision,
            local_dir=folder,
            endpoint=endpoint,
            tqdm_class=Told,
        )
    except Exception as error:  # the Hub's library and its HTTP client have errors of their own
        raise WeightsError(
            f"{part.repository}: {name} cannot be had: {_short(error)}; run the same again, it goes on"
        ) from error


def _from_web(url: str, path: Path, file: Wanted, advance: Advance) -> None:
    """A file in pieces, from where an earlier try stopped."""
    part = path.with_name(path.name + STARTED)
    have = part.stat().st_size if part.is_file() else 0
    try:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with httpx.stream("GET", url, headers=headers, timeout=PATIENCE_S, follow_redirects=True) as answer:
            if have and answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.replace(path)  # it was all there
                return
            answer.raise_for_status()
            if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                have = 0  # the address begins anew
            total = have + int(answer.headers.get("Content-Length", file.n_bytes))
            with part.open("ab" if have else "wb") as to:
                for piece in answer.iter_bytes(PIECE):
                    to.write(piece)
                    have += len(piece)
                    advance(file.name, have, total)
        if have < total:
            raise OSError(f"it ended after {have} of {total} bytes")
    except (httpx.HTTPError, OSError) as error:
        raise WeightsError(f"{url} cannot be had: {_short(error)}; run the same again, it goes on") from error
    part.replace(path)


def _compare(path: Path, file: Wanted) -> None:
    if file.sha256 is None:
        return
    found = sha256(path)
    if found != file.sha256:
        path.unlink()
        raise WeightsError(
            f"{path.name} is not the published file: its sha256 begins with {found[:12]}, that of the "
            f"published one with {file.sha256[:12]}; it was deleted, fetch it again"
        )


def _unpack(archive: Path, inside: str, folder: Path) -> None:
    """Lift the files of one folder of a zip out into `folder`, and drop the zip."""
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            if name.startswith(f"{inside}/") and not name.endswith("/"):
                target = (folder / name.removeprefix(f"{inside}/")).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise WeightsError(f"{archive.name} holds {name!r}, which leads out of its folder")
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(name) as member, target.open("wb") as to:
                    shutil.copyfileobj(member, to)
    archive.unlink()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
