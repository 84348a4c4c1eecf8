"""Download the files of a network from the Hugging Face Hub and the web, and check their digests."""

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
from ris.pretrained.catalog.weights import MANIFEST_FILE, compute_sha256, write_manifest

_CHUNK_BYTES = 2**20
_TIMEOUT_S = 30.0  # without a byte from the server
_PARTIAL_SUFFIX = ".part"  # appended to the name of an incomplete file

ProgressCallback = Callable[[str, int, int], None]  # file, bytes received, bytes in total


@dataclass(frozen=True, slots=True)
class RequiredFile:
    """One file of a network.

    Attributes:
        name: path in the network's folder.
        n_bytes: length; approximate where `sha256` is None.
        sha256: digest in hex; None where none is published.
        part: the part of the source that it belongs to.
    """

    name: str
    n_bytes: int
    sha256: str | None
    part: HubFiles | WebFile


def list_required_files(source: Source, *, endpoint: str | None = None) -> list[RequiredFile]:
    """List the files of a source, without downloading them; asks the Hub for the files of a revision.

    Args:
        source: the network.
        endpoint: address of the Hub or of a mirror with the same API; None takes `HF_ENDPOINT`.

    Raises:
        WeightsError: the Hub cannot be reached, or has no such files.
    """
    files: list[RequiredFile] = []
    for part in source.parts:
        files += (
            [RequiredFile(part.name, part.n_bytes, part.sha256, part)]
            if isinstance(part, WebFile)
            else _list_hub_files(part, source.name, endpoint)
        )
    return files


def fetch_source(
    source: Source, files: Sequence[RequiredFile], models: Path, advance: ProgressCallback,
    *, endpoint: str | None = None, mirror: str | None = None,
) -> Path:  # fmt: skip
    """Download a source's files into its folder and write the manifest; complete files are kept.

    Args:
        source: the network.
        files: its files, from `list_required_files`.
        models: the folder of the fetched networks.
        advance: called with the progress of each file.
        endpoint: address of the Hub or of a mirror with the same API; None takes `HF_ENDPOINT`.
        mirror: address of a folder to download web files from by name; None takes each file's own address.

    Returns:
        The network's folder, complete.

    Raises:
        WeightsError: a file cannot be downloaded, or is not the published one. What was received is kept, and
            another call resumes.
    """
    folder = source.get_folder(models)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST_FILE).unlink(missing_ok=True)  # written last: a folder without it is incomplete
    for file in files:
        path = folder / file.name
        if path.is_file() and file.sha256 is not None and compute_sha256(path) == file.sha256:
            continue
        if isinstance(file.part, WebFile):
            url = f"{mirror.rstrip('/')}/{file.name}" if mirror else file.part.url
            _fetch_from_web(url, path, file, advance)
        else:
            _fetch_from_hub(file.part, file.name, folder, endpoint, advance)
        _check_digest(path, file)
    for part in source.parts:
        if isinstance(part, WebFile) and part.unpacked is not None:
            _unpack(folder / part.name, part.unpacked, folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the Hub library's records of incomplete files
    write_manifest(folder)
    return folder


def _list_hub_files(part: HubFiles, name: str, endpoint: str | None) -> list[RequiredFile]:
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
        raise WeightsError(
            f"cannot reach {part.repository} on the model hub ({_format_error(error)}); set HF_ENDPOINT or "
            "HF_TOKEN, or copy RIS_MODELS_FOLDER from another machine"
        ) from error
    there = {file.rfilename: file for file in info.siblings or []}
    names = [name for name in there if any(fnmatch.fnmatch(name, pattern) for pattern in part.files)]
    choices = ([name for name in there if fnmatch.fnmatch(name, pattern)] for pattern in part.weights)
    weights = next((found for found in choices if found), [])
    if part.weights and not weights:
        raise WeightsError(f"{part.repository} at {part.revision[:8]} has none of {', '.join(part.weights)}")
    files = []
    for each in dict.fromkeys(names + weights):
        lfs = there[each].lfs
        on_hub = lfs.sha256 if lfs else None
        published = part.sha256 if each in weights else None
        if published and on_hub and published != on_hub:
            raise WeightsError(
                f"{part.repository}: {each} on the Hub is not the published file: its sha256 begins with "
                f"{on_hub[:12]}, not with {published[:12]}; do not use it"
            )
        files.append(RequiredFile(each, there[each].size or 0, published or on_hub, part))
    return files


def _fetch_from_hub(
    part: HubFiles, name: str, folder: Path, endpoint: str | None, advance: ProgressCallback
) -> None:
    class ProgressBar(tqdm):
        """Reports progress to `advance` and draws nothing."""

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            advance(name, int(self.n), int(self.total or self.n))
            return shown

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            pass

    try:
        hf_hub_download(
            part.repository,
            name,
            revision=part.revision,
            local_dir=folder,
            endpoint=endpoint,
            tqdm_class=ProgressBar,
        )
    except Exception as error:  # the Hub's library and its HTTP client have errors of their own
        raise WeightsError(
            f"{part.repository}: {name} cannot be downloaded: {_format_error(error)}; run the command again, "
            "it resumes"
        ) from error


def _fetch_from_web(url: str, path: Path, file: RequiredFile, advance: ProgressCallback) -> None:
    """Download a file, from where an earlier attempt stopped."""
    part = path.with_name(path.name + _PARTIAL_SUFFIX)
    have = part.stat().st_size if part.is_file() else 0
    try:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT_S, follow_redirects=True) as answer:
            if have and answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.replace(path)  # it was complete already
                return
            answer.raise_for_status()
            if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                have = 0  # the server ignores the range and sends the whole file
            total = have + int(answer.headers.get("Content-Length", file.n_bytes))
            with part.open("ab" if have else "wb") as to:
                for piece in answer.iter_bytes(_CHUNK_BYTES):
                    to.write(piece)
                    have += len(piece)
                    advance(file.name, have, total)
        if have < total:
            raise OSError(f"the download ended after {have} of {total} bytes")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # InvalidURL: of a redirect
        raise WeightsError(
            f"{url} cannot be downloaded: {_format_error(error)}; run the command again, it resumes"
        ) from error
    part.replace(path)


def _check_digest(path: Path, file: RequiredFile) -> None:
    if file.sha256 is None:
        return
    found = compute_sha256(path)
    if found != file.sha256:
        path.unlink()
        raise WeightsError(
            f"{path.name} is not the published file: its sha256 begins with {found[:12]}, not with "
            f"{file.sha256[:12]}; it was deleted, fetch it again"
        )


def _unpack(archive: Path, inside: str, folder: Path) -> None:
    """Extract one folder of a zip file into `folder`, then delete the zip file."""
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            if name.startswith(f"{inside}/") and not name.endswith("/"):
                target = (folder / name.removeprefix(f"{inside}/")).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise WeightsError(
                        f"{archive.name} contains {name!r}, a path outside of its folder; do not use it"
                    )
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(name) as member, target.open("wb") as to:
                    shutil.copyfileobj(member, to)
    archive.unlink()


def _format_error(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
