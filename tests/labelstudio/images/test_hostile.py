"""Whatever the bytes are, they give a picture of the right size or one sentence, in bounded memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from ris.core.types import Image
from ris.errors import ImageUnreadable
from ris.export.pictures import make_upright, to_named_format
from ris.labelstudio.images.decoding import WORKING_PIXELS, decode_image, read_displayed_size
from tests.builders.hostile_pictures import make_hostile_pictures

MAX_PIXELS = 64_000_000
PICTURES = make_hostile_pictures()
MEASURED = """
import re, sys
from pathlib import Path
sys.path[:0] = [{root!r}, {root!r} + "/backend"]
from tests.builders.hostile_pictures import make_hostile_pictures
from ris.errors import ImageUnreadable
from ris.labelstudio.images.decoding import decode_image
def peak_kib():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
pictures = make_hostile_pictures()
before = peak_kib()
for data in pictures.values():
    try:
        decode_image(data, max_pixels={max_pixels})
    except ImageUnreadable:
        pass
print((peak_kib() - before) // 1024)
"""


def read(call, data, *arguments, **more):
    """Return what a call gives, or None after checking its sentence."""
    try:
        return call(data, *arguments, **more)
    except ImageUnreadable as error:
        sentence = str(error)
        assert 20 < len(sentence) < 500 and "\n" not in sentence, sentence
        return None


@pytest.mark.parametrize("name", PICTURES)
def test_a_hostile_file_is_a_picture_of_the_size_that_its_head_says_or_a_sentence(name):
    image = read(decode_image, PICTURES[name], max_pixels=MAX_PIXELS)
    size = read(read_displayed_size, PICTURES[name], max_pixels=MAX_PIXELS)

    if image is not None:
        assert isinstance(image, Image)
        assert image.size == size and min(size) >= 1
        assert image.pixels.shape[0] * image.pixels.shape[1] <= WORKING_PIXELS


@pytest.mark.parametrize("name", [n for n in PICTURES if "60 megapixels" not in n and "8000 x 7500" not in n])
def test_a_hostile_file_is_exported_as_a_picture_or_a_sentence(name):
    image = read(decode_image, PICTURES[name], max_pixels=MAX_PIXELS)

    upright, exported = read(make_upright, PICTURES[name]), read(to_named_format, PICTURES[name], "a.jpg")

    for data in (upright and upright[0], exported):
        assert (data is None) == (image is None)
        if data is not None:
            assert read_displayed_size(data, max_pixels=MAX_PIXELS) == image.size


@pytest.mark.program
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_all_hostile_files_together_take_a_bounded_peak_of_memory():
    """The largest are of 60 megapixels: 4 bytes a pixel of the decoder, and 3 of a quarter as many pixels."""
    root = Path(__file__).parents[3]
    code = MEASURED.format(root=str(root), max_pixels=MAX_PIXELS)

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)

    assert int(done.stdout) < 500


DECODED = """
import io, re, sys
from pathlib import Path
sys.path.insert(0, {root!r} + "/backend")
from PIL import Image
from ris.labelstudio.images.decoding import decode_image
def read(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
out = io.BytesIO()
Image.new({mode!r}, {size}).save(out, {kind!r})
data = out.getvalue()
decode_image(data[:], max_pixels=10**8)  # loads what is loaded once
before = read("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
decode_image(data, max_pixels=10**8)
print(read("VmHWM") - before)
"""
SOURCE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "F": 4, "RGB": 4, "RGBA": 4, "CMYK": 4}


@pytest.mark.program
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", m) for m in ("1", "P", "RGB", "RGBA", "I;16")]
    + [("JPEG", "RGB"), ("JPEG", "CMYK"), ("GIF", "P"), ("BMP", "RGB"), ("TIFF", "RGB"), ("TIFF", "F")],
)
@pytest.mark.parametrize("size", [(4000, 4000), (6000, 6000)])
def test_decoding_takes_at_most_four_bytes_a_pixel_beside_what_the_decoder_makes(kind, mode, size):
    root = Path(__file__).parents[3]
    code = DECODED.format(root=str(root), kind=kind, mode=mode, size=size)

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    strip = 32 * 2**20
    assert int(done.stdout) <= (SOURCE_BYTES[mode] + 4) * size[0] * size[1] + strip
