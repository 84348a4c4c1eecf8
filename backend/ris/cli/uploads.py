"""Upload the images of a dataset to a project of Label Studio."""

from pathlib import Path

from ris import config
from ris.cli.console import console
from ris.errors import ImageUnreadable, LabelStudioError
from ris.export.pictures import to_displayable
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.images.decoding import read_displayed_size


class ImageUploads:
    """The images that one command uploaded to a project.

    Attributes:
        stored: by an image's name, its address in tasks.
        sizes: (height, width) as displayed, by name.
        reasons: by name, why an image was not uploaded.
    """

    def __init__(self, client: LabelStudioClient, number: int, settings: config.Settings) -> None:
        self.client, self.number, self.settings = client, number, settings
        self.stored: dict[str, str] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self.reasons: dict[str, str] = {}
        self._by_path: dict[Path, str] = {}

    def add(self, name: str, path: Path, stored: str | None) -> None:
        """Check an image, and upload it unless it is stored; a file is uploaded once."""
        try:
            data = path.read_bytes()
            self.sizes[name] = read_displayed_size(data, max_pixels=self.settings.max_image_pixels)
            if stored is None and path not in self._by_path:
                self._by_path[path] = self.client.upload(self.number, *to_displayable(path.name, data))
        except (ImageUnreadable, OSError) as error:
            self.reasons[name] = f"its image cannot be used: {error}"
            return
        self.stored[name] = stored or self._by_path[path]

    def remove_unused(self, shown: set[str]) -> None:
        """Remove the uploads that no task shows."""
        unused = set(self._by_path.values()) - shown
        if unused:
            try:
                self.client.remove_uploads(self.number, unused)
            except LabelStudioError as error:  # the first error is raised
                console.print(
                    f"{len(unused)} uploaded images without a task could not be removed: {error}",
                    markup=False,
                )
