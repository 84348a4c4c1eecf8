"""Run an export: write the formats, and write `export_report.json`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path

from ris.errors import BackendError, DatasetError
from ris.export.formats import EXPORT_FORMATS, FormatResult
from ris.export.imagefile import ImageBook, ImageFile, ImageNumbers, read_image_file
from ris.export.material import Material
from ris.export.pictures import ImageBytesSource, to_named_format
from ris.export.selection import ExportOptions
from ris.export.text import SpooledList, write_json_with_lists

REPORT_FILE = "export_report.json"


def find_written_files(material: Material, options: ExportOptions) -> Iterator[ImageFile]:
    """Yield the image files that the chosen formats refer to, each once."""
    files = material.samples.decisions.list_images()
    if any(name.startswith("coco") for name in options.formats):
        files = chain(files, material.pictured.list_images())
    numbers = ImageNumbers()
    for file in files:
        _, is_new = numbers.assign(file)
        if is_new:
            yield file


def write_export(
    material: Material,
    options: ExportOptions,
    out: Path,
    *,
    not_understood: int = 0,
    on_progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> dict[str, FormatResult]:
    """Write the chosen formats and the report.

    Args:
        material: the input of the export.
        options: the options of the export.
        out: the folder; created if missing.
        not_understood: number of answers that could not be read as decisions, for the report.
        on_progress: is called with the name of a format, its number of items done and of all items.

    Returns:
        The results by format.

    Raises:
        DatasetError: the folder cannot be written.
    """
    results: dict[str, FormatResult] = {}
    try:
        for name in options.formats:
            watched = material.watch(partial(on_progress, name))
            results[name] = EXPORT_FORMATS[name].write(watched, out / EXPORT_FORMATS[name].folder)
        _write_report(results, options, material.n_decisions, not_understood, out)
    except OSError as error:
        raise DatasetError(f"{out} cannot be written: {error}") from error
    return results


def _write_report(
    results: Mapping[str, FormatResult], options: ExportOptions, count: int, not_understood: int, out: Path
) -> None:
    formats = {}
    for name, result in results.items():
        left_out = SpooledList(out, indent=1, depth=3)
        for one in result.omissions:
            left_out.add(asdict(one))
        formats[name] = {
            "written": count - len(result.omissions), "loss": result.loss, "left_out": left_out,
        }  # fmt: skip
    report = {
        "decisions": count, "not_understood": not_understood, "choice": asdict(options), "formats": formats,
    }  # fmt: skip
    write_json_with_lists(report, out / REPORT_FILE, indent=1)


def write_images(
    files: Iterable[ImageFile], images: ImageBook, folder: Path, fetch: ImageBytesSource
) -> Iterator[str]:
    """Write image files, with the EXIF orientation applied and in the format of their names.

    Args:
        files: the images to write.
        images: where their tasks are found.
        folder: the folder; created if missing.
        fetch: returns the bytes of a task's image file, or raises an ImageError.

    Yields:
        For each image "", or a sentence why it could not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        try:
            data = read_image_file(file, images.read_tasks(file), fetch)
            (folder / file.name).write_bytes(to_named_format(data, file.name))
        except BackendError as error:
            yield str(error)
        else:
            yield ""
