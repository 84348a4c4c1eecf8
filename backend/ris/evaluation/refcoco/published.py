"""Figures of others, each with its metric and where it stands: what ours are printed beside.

Only what was found in a public paper, table or log is here. Tables of the field mix oIoU and mIoU under one
heading, so an entry without its metric or its source cannot be made.
"""

from collections.abc import Iterator
from dataclasses import dataclass

METRICS = ("oIoU", "mIoU")

SAM3 = "SAM 3 (arXiv 2511.16719) Table 42"
CAR = "CaR (arXiv 2312.07661) Table 7"
SURVEY = "Multimodal Referring Segmentation: A Survey (arXiv 2508.00265) Table 2"
LGD_LOG = "github.com/lijiachen8863/LGD new_param_result.txt"
RERUN = "github.com/seamoon224/CE6190 result_log/our_method_with_free_solo.txt"

NO_HEADING = "the table names no metric; where it can be checked it is this one"
UNVERIFIED = "metric not verified: the table names none"
SWAPPED = "the log's heading names the two metrics the wrong way round; here they are right"

LLAVA = "its language model may have seen boxes and words of these images"
MASK2FORMER = "Mask2Former saw masks of these images, ALBEF captions of COCO"
BLIP2 = "its captioner, BLIP-2, saw captions of COCO"


@dataclass(frozen=True, slots=True)
class Published:
    """One figure of one method on one split.

    Attributes:
        method, made_with: who, and with which encoder and proposals.
        dataset, split_by, split: as in `datasets.benchmark`.
        metric: "oIoU" or "mIoU".
        value: in percent.
        source: the public paper with its table, or the repository with its file.
        saw: what of these images or their labels its networks were trained on; "" for nothing known.
        note: what a reader has to know of the figure.

    Raises:
        ValueError: no metric of these two, no source, or no percentage.
    """

    method: str
    made_with: str
    dataset: str
    split_by: str
    split: str
    metric: str
    value: float
    source: str
    saw: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        what = f"{self.method} on {self.dataset} {self.split}"
        if self.metric not in METRICS:
            raise ValueError(f"{what} needs a metric, {' or '.join(METRICS)}, got {self.metric!r}")
        if not self.source.strip():
            raise ValueError(f"{what} needs its source: the paper and table, or the repository and file")
        if not 0 < self.value < 100:
            raise ValueError(f"{what} must be in percent, got {self.value}")


PUBLISHED_SPLITS = (
    *(("refcoco", "unc", split) for split in ("val", "testA", "testB")),
    *(("refcoco+", "unc", split) for split in ("val", "testA", "testB")),
    ("refcocog", "umd", "val"),
    ("refcocog", "umd", "test"),
    ("refcocog", "google", "val"),
)


def _make_row(
    method: str, made_with: str, metric: str, values: str, source: str, *, saw: str = "", note: str = ""
) -> Iterator[Published]:
    """The figures of one line of a table: nine in the order of `PUBLISHED_SPLITS`, "-" for one that was
    not given."""
    for (dataset, split_by, split), value in zip(PUBLISHED_SPLITS, values.split(), strict=True):
        if value != "-":
            yield Published(
                method, made_with, dataset, split_by, split, metric, float(value), source, saw, note
            )


VIT = "CLIP ViT-B/32"
_LLAVA_7B = f"{VIT}, LLaVA 7B, SAM"

PUBLISHED: tuple[Published, ...] = (
    *_make_row("GL-CLIP", f"{VIT}, FreeSOLO", "mIoU",
        "26.20 24.94 26.56 27.80 25.64 27.84 33.52 33.67 33.61",
          f"{CAR}; {SURVEY}"),
    *_make_row("GL-CLIP, run again", f"{VIT}, FreeSOLO", "mIoU",
          "26.24 24.48 26.56 27.62 25.88 28.06 33.62 33.61 33.69", RERUN),
    *_make_row("GL-CLIP, run again", f"{VIT}, FreeSOLO", "oIoU",
          "24.83 23.59 24.60 26.12 24.92 25.77 31.09 30.96 30.77", RERUN),
    *_make_row("cropping, run again", f"{VIT}, FreeSOLO", "mIoU",
        "- - - - - - 31.92 - -", RERUN),
    *_make_row("cropping, run again", f"{VIT}, FreeSOLO", "oIoU",
        "- - - - - - 28.75 - -", RERUN),
    *_make_row("GL-CLIP", "CLIP RN50, SAM", "mIoU",
        "32.7 35.3 30.1 37.7 40.7 34.9 41.6 42.9 44.0", SAM3,
          note=NO_HEADING),
    *_make_row("GL-CLIP", f"{VIT}, SAM", "mIoU",
        "32.9 34.9 30.1 38.4 42.1 32.7 42.0 42.0 42.7", SAM3,
          note=NO_HEADING),
    *_make_row("Ref-Diff", "Stable Diffusion 1.5, CLIP ViT-B/16, SAM", "mIoU",
          "37.2 38.4 37.2 37.3 40.5 33.0 44.0 44.5 44.3", SAM3, note=NO_HEADING),
    *_make_row("TAS", "CLIP RN50, SAM", "mIoU",
        "39.9 42.9 35.9 44.0 50.6 36.4 47.7 47.4 48.7", SAM3,
          saw=BLIP2, note=NO_HEADING),
    *_make_row("TAS", f"{VIT}, SAM", "mIoU",
        "39.8 41.1 36.2 43.6 49.1 36.5 46.6 46.8 48.1", SAM3,
          saw=BLIP2, note=NO_HEADING),
    *_make_row("IteRPrimE", "ALBEF, Mask2Former", "mIoU",
        "40.2 46.5 33.9 44.2 51.6 35.3 46.0 45.1 45.8",
    SAM3,
          saw=MASK2FORMER, note=UNVERIFIED),
    *_make_row("LGD, words alone", f"{VIT}, SAM", "mIoU",
        "38.09 38.65 36.23 42.26 46.97 35.29 45.16 45.28 46.77",
          LGD_LOG, note=SWAPPED),
    *_make_row("LGD, words alone", f"{VIT}, SAM", "oIoU",
        "26.52 26.99 27.78 30.65 36.09 27.00 32.87 34.04 34.55",
          LGD_LOG, note=SWAPPED),
    *_make_row("LGD, 0.5 and -1.0", _LLAVA_7B, "mIoU",
        "45.41 48.81 39.28 47.23 54.64 38.10 47.18 47.93 49.22",
          LGD_LOG, saw=LLAVA, note=SWAPPED),
    *_make_row("LGD, 0.5 and -1.0", _LLAVA_7B, "oIoU",
        "34.47 37.81 30.79 36.72 44.36 30.11 36.16 37.21 37.72",
          LGD_LOG, saw=LLAVA, note=SWAPPED),
    *_make_row("HybridGL", "CLIP ViT-B/16, GEM, SAM", "mIoU",
        "49.48 53.37 45.19 43.40 49.13 37.17 51.25 51.59 -",
          f"{SURVEY}; {SAM3}", note="in others' tables it stands as cIoU, too"),
)  # fmt: skip
"""Zero-shot methods with the proposals that ours resemble, and what came after them."""


def find_published(dataset: str, split_by: str, split: str) -> tuple[Published, ...]:
    """What others published for a split."""
    return tuple(
        one for one in PUBLISHED if (one.dataset, one.split_by, one.split) == (dataset, split_by, split)
    )
