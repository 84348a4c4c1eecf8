"""Published results of zero-shot methods, for comparison with ours.

Each result comes from a public paper, table or log. Many tables mix oIoU and mIoU under one heading, so an
entry must name its metric and its source.
"""

from collections.abc import Iterator
from dataclasses import dataclass

METRICS = ("oIoU", "mIoU")

SAM3 = "SAM 3 (arXiv 2511.16719) Table 42"
CAR = "CaR (arXiv 2312.07661) Table 7"
SURVEY = "Multimodal Referring Segmentation: A Survey (arXiv 2508.00265) Table 2"
LGD_LOG = "github.com/lijiachen8863/LGD new_param_result.txt"
RERUN = "github.com/seamoon224/CE6190 result_log/our_method_with_free_solo.txt"

NO_HEADING = "the table names no metric; it is this one wherever that could be checked"
UNVERIFIED = "metric not verified: the table names none"
SWAPPED = "the heading of the log swaps the two metrics; corrected here"

LLAVA = "its language model may have seen boxes and words of these images"
MASK2FORMER = "Mask2Former saw masks of these images, ALBEF captions of COCO"
BLIP2 = "its captioner, BLIP-2, saw captions of COCO"


@dataclass(frozen=True, slots=True)
class Published:
    """One result of one method on one split.

    Attributes:
        method: name of the method.
        networks: its encoder and the source of its proposals.
        dataset: name of the dataset, as in `datasets.benchmark`.
        split_by: who defined the split.
        split: name of the split.
        metric: "oIoU" or "mIoU".
        value: in percent.
        source: the paper with its table, or the repository with its file.
        training_data: which of these images or labels its networks were trained on; "" if none is known.
        note: what the reader must know about the value; "" if nothing.

    Raises:
        ValueError: the metric is unknown, the source is empty, or the value is not a percentage.
    """

    method: str
    networks: str
    dataset: str
    split_by: str
    split: str
    metric: str
    value: float
    source: str
    training_data: str = ""
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
    method: str,
    networks: str,
    metric: str,
    values: str,
    source: str,
    *,
    training_data: str = "",
    note: str = "",
) -> Iterator[Published]:
    """Yield the results of one row of a table.

    `values` has nine numbers in the order of `PUBLISHED_SPLITS`, with "-" for a missing one.
    """
    for (dataset, split_by, split), value in zip(PUBLISHED_SPLITS, values.split(), strict=True):
        if value != "-":
            yield Published(
                method, networks, dataset, split_by, split, metric, float(value), source, training_data, note
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
          training_data=BLIP2, note=NO_HEADING),
    *_make_row("TAS", f"{VIT}, SAM", "mIoU",
        "39.8 41.1 36.2 43.6 49.1 36.5 46.6 46.8 48.1", SAM3,
          training_data=BLIP2, note=NO_HEADING),
    *_make_row("IteRPrimE", "ALBEF, Mask2Former", "mIoU",
        "40.2 46.5 33.9 44.2 51.6 35.3 46.0 45.1 45.8",
    SAM3,
          training_data=MASK2FORMER, note=UNVERIFIED),
    *_make_row("LGD, words alone", f"{VIT}, SAM", "mIoU",
        "38.09 38.65 36.23 42.26 46.97 35.29 45.16 45.28 46.77",
          LGD_LOG, note=SWAPPED),
    *_make_row("LGD, words alone", f"{VIT}, SAM", "oIoU",
        "26.52 26.99 27.78 30.65 36.09 27.00 32.87 34.04 34.55",
          LGD_LOG, note=SWAPPED),
    *_make_row("LGD, 0.5 and -1.0", _LLAVA_7B, "mIoU",
        "45.41 48.81 39.28 47.23 54.64 38.10 47.18 47.93 49.22",
          LGD_LOG, training_data=LLAVA, note=SWAPPED),
    *_make_row("LGD, 0.5 and -1.0", _LLAVA_7B, "oIoU",
        "34.47 37.81 30.79 36.72 44.36 30.11 36.16 37.21 37.72",
          LGD_LOG, training_data=LLAVA, note=SWAPPED),
    *_make_row("HybridGL", "CLIP ViT-B/16, GEM, SAM", "mIoU",
        "49.48 53.37 45.19 43.40 49.13 37.17 51.25 51.59 -",
          f"{SURVEY}; {SAM3}", note="other tables list it as cIoU"),
)  # fmt: skip
"""Results of zero-shot methods with proposals like ours, and of their successors."""


def find_published(dataset: str, split_by: str, split: str) -> tuple[Published, ...]:
    """Return the published results for a split."""
    return tuple(
        one for one in PUBLISHED if (one.dataset, one.split_by, one.split) == (dataset, split_by, split)
    )
