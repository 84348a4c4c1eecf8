"""Measure decoding of pictures of 60 megapixels in small files: `python -m benchmarks.pictures`.

Each is decoded in a process of its own, once as `decode_image` does and once in the naive way: decoded,
converted and copied as a whole. The peak is Linux's VmHWM above that before decoding.
`--see` also computes the scene of one with the embedded networks.
"""

import argparse
import io
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.assembly import load_pipeline
from ris.config import Settings
from ris.labelstudio.images.decoding import decode_image
from ris.planning import make_plan

SIZE = (8000, 7500)
PICTURES = {
    "PNG, 1 bit": ("1", "PNG", {}),
    "PNG, RGB": ("RGB", "PNG", {}),
    "PNG, RGBA": ("RGBA", "PNG", {}),
    "PNG, 16 bits": ("I;16", "PNG", {}),
    "JPEG": ("RGB", "JPEG", {}),
    "JPEG, progressive": ("RGB", "JPEG", {"progressive": True}),
    "JPEG, CMYK": ("CMYK", "JPEG", {}),
    "WebP": ("RGB", "WEBP", {"lossless": True}),
    "TIFF": ("RGB", "TIFF", {"compression": "tiff_deflate"}),
    "TIFF, float": ("F", "TIFF", {"compression": "tiff_deflate"}),
    "GIF": ("P", "GIF", {}),
    "AVIF": ("RGB", "AVIF", {}),
}


def main() -> None:
    """Print a row per picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--see", action="store_true", help="compute a scene too; takes minutes")
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FILE"), help="measure one file in this process")
    args = parser.parse_args()
    if args.one:
        print(*measure(args.one[0], Path(args.one[1]).read_bytes()))
        return
    print_processor()
    table = Table(title=f"decoding {SIZE[0]} x {SIZE[1]} pixels")
    headings = ("picture", "file", "naive", "ours", "naive peak", "ours", "bytes a pixel")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "picture" else "right")
    Pillow.MAX_IMAGE_PIXELS = None
    with tempfile.TemporaryDirectory() as folder:
        for name, (mode, kind, options) in PICTURES.items():
            file = Path(folder, "picture")
            Pillow.new(mode, SIZE).save(file, kind, **options)
            naive, ours = run("naive", file), run("ours", file)
            table.add_row(
                name, f"{file.stat().st_size / 1000:.0f} kB", f"{naive[0]:.1f} s", f"{ours[0]:.1f} s",
                f"{naive[1]:.0f} MB", f"{ours[1]:.0f} MB", f"{ours[1] * 1e6 / SIZE[0] / SIZE[1]:.1f}",
            )  # fmt: skip
        if args.see:
            file = Path(folder, "picture")
            file.write_bytes(draw_scene())
            seconds, peak = run("see", file)
            table.add_row("PNG, its scene", "", "", f"{seconds:.1f} s", "", f"{peak:.0f} MB", "")
    Console().print(table)


def run(way: str, file: Path) -> tuple[float, float]:
    """Measure in a new process: seconds and peak in MB."""
    command = [sys.executable, "-m", "benchmarks.pictures", "--one", way, str(file)]
    seconds, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(peak)


def measure(way: str, data: bytes) -> tuple[float, float]:
    """Return the seconds, and the peak of memory in MB above what was there before."""
    Pillow.MAX_IMAGE_PIXELS = None
    work = {"naive": decode_naively, "ours": decode}.get(way) or make_see()
    before, started = read_status("VmRSS"), time.perf_counter()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    work(data)
    return time.perf_counter() - started, (read_status("VmHWM") - before) * 1024 / 1e6


def read_status(name: str) -> int:
    """Read a line of /proc/self/status in KiB."""
    return int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def decode(data: bytes) -> object:
    return decode_image(data, max_pixels=10**9)


def decode_naively(data: bytes) -> object:
    """Decode and convert as a whole, as version 0.2.0 did."""
    with Pillow.open(io.BytesIO(data)) as picture:
        picture.load()
        if picture.mode.startswith("I") or picture.mode == "F":
            values = np.asarray(picture, np.float64)
            top = 65535 if picture.mode.startswith("I") else max(float(values.max()), 1e-9)
            grey = np.clip(values * 255 / top, 0, 255).astype(np.uint8)
            return np.array(Pillow.fromarray(grey).convert("RGB"))
        if "A" in picture.getbands():
            layer = picture.convert("RGBA")
            white = Pillow.new("RGBA", layer.size, "white")
            return np.array(Pillow.alpha_composite(white, layer).convert("RGB"))
        return np.array(picture.convert("RGB"))


def make_see():
    """Load the embedded networks; return the function that decodes and sees."""
    pipeline = load_pipeline(make_plan(Settings()))
    return lambda data: pipeline.see(decode_image(data, max_pixels=10**9))


def draw_scene() -> bytes:
    """Draw coloured squares and circles over `SIZE`, as a PNG."""
    small = np.zeros((75, 80, 3), np.uint8) + 90
    for i, colour in enumerate([(220, 40, 40), (40, 200, 60), (60, 80, 230), (230, 210, 50)]):
        small[10 + 30 * (i // 2) :][:20, 10 + 40 * (i % 2) :][:, :20] = colour
    out = io.BytesIO()
    Pillow.fromarray(small).resize(SIZE, Pillow.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    main()
