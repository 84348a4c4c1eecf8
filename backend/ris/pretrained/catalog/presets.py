"""Presets: which networks, with which thresholds and settings of the methods. Data, not code paths.

The settings of `base`, `paper` and `best` are the papers' or the publishers'. They were not measured on
photographs: published weights were not available when this was written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ris.core.versions import NO_NETWORK, NO_NETWORK_PRESET, TOY_PRESET
from ris.errors import SettingsError
from ris.pretrained.catalog import sources
from ris.pretrained.catalog.sources import Source
from ris.pretrained.masks.settings import GroupingSettings, QuerySettings, SamSettings
from ris.referring import global_local, iterprime, lgd
from ris.referring.crops import Framing
from ris.referring.global_local import GlobalLocalSettings
from ris.referring.iterprime import IterPrimeSettings
from ris.referring.lgd import LgdSettings
from ris.referring.ranking import RankingSettings

TINY_FOLDER = Path(__file__).parents[1] / "tiny"


@dataclass(frozen=True, slots=True)
class Preset:
    """The networks and settings of one pipeline.

    Attributes:
        name: the value of `RIS_PRESET`.
        summary: one line for people; it says what the preset is not good for as well.
        masks: proposes masks, and refines them by clicks where it can; None for grouping and GrabCut, which
            need no network.
        clip: the CLIP of Global-Local CLIP and LGD; None leaves both methods out.
        itm: the image-text matching network of IteRPrimE; None leaves this method out.
        parser: parses expressions for every method that has no parser of its own.
        describer: the describer of LGD, unless the settings name a describer; None where there is no LGD.
        proposals: settings of `masks`.
        global_local, lgd, iterprime: settings of the methods.
        itm_layer: text layer of `itm` whose cross-attention IteRPrimE reads, 0-based.
        ranking: settings of the ranking.
        threads: number of threads of the networks; None lets PyTorch choose, which is all cores.
        global_local_parser, lgd_parser, iterprime_parser: a method's own parser; None for `parser`.
    """

    name: str
    summary: str
    masks: Source | None
    clip: Source | None
    itm: Source | None
    parser: Source
    describer: Source | None
    proposals: SamSettings | QuerySettings | GroupingSettings
    global_local: GlobalLocalSettings
    lgd: LgdSettings
    iterprime: IterPrimeSettings
    itm_layer: int
    ranking: RankingSettings
    threads: int | None = None
    global_local_parser: Source | None = None
    lgd_parser: Source | None = None
    iterprime_parser: Source | None = None

    @property
    def own_parsers(self) -> dict[str, Source]:
        """The methods' own parsers, by the method's name."""
        own = {
            "global-local": self.global_local_parser,
            "lgd": self.lgd_parser,
            "iterprime": self.iterprime_parser,
        }
        return {method: source for method, source in own.items() if source is not None}

    @property
    def has_networks(self) -> bool:
        """Whether a network looks at the pictures; the parser of expressions does not count."""
        return any(source is not None for source in (self.masks, self.clip, self.itm))

    @property
    def has_toy_networks(self) -> bool:
        """Whether a network that looks at the pictures is an embedded one, which knows drawn scenes only."""
        folders = [source.folder for source in (self.masks, self.clip, self.itm) if source is not None]
        return any(folder is not None and folder.is_relative_to(TINY_FOLDER) for folder in folders)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The preset's networks, each once."""
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(dict.fromkeys(value for value in values if isinstance(value, Source)))

    @property
    def memory_gb(self) -> float:
        """Memory of the weights in GB (10^9 bytes)."""
        return sum(source.memory_mb for source in self.sources) / 1e3

    @property
    def download_gb(self) -> float:
        """Size of the download in GB (10^9 bytes); 0 for embedded networks."""
        return sum(source.download_mb for source in self.sources) / 1e3


def _make_embedded_source(name: str, kind: sources.NetworkKind, parameters_m: float) -> Source:
    licence, training_data = "Apache-2.0", "drawn scenes"
    if kind == "spacy":
        licence, training_data = "CC BY-SA 4.0", "UD English EWT and generated phrases; no images"
    return Source(
        name=f"tiny-{name}", kind=kind, folder=TINY_FOLDER / name, parameters_m=parameters_m,
        licence=licence, training_data=training_data,
    )  # fmt: skip


TINY = Preset(
    name=TOY_PRESET,
    threads=1,
    summary="embedded toy networks, trained on drawn scenes: good on those, useless on photographs",
    masks=_make_embedded_source("sam", "sam", 2.2),
    clip=_make_embedded_source("clip", "clip", 4.3),
    itm=_make_embedded_source("itm", "blip-itm", 4.4),
    parser=_make_embedded_source("parser", "spacy", 1.0),
    describer=_make_embedded_source("describer", "blip-caption", 4.5),
    proposals=SamSettings(
        working_side=640,
        points_per_side=16,
        pred_iou_thresh=0.3,
        stability_score_thresh=0.5,
        box_nms_thresh=0.8,
        max_proposals=12,
        min_area_share=0.0008,
        max_area_share=0.5,
        same_mask_iou=0.7,
        mask_prompts=False,  # a click has a mean IoU of .55 with them and .88 without
    ),
    global_local=GlobalLocalSettings(
        framing=Framing(
            mean=(0.5, 0.5, 0.5),
            std=(0.25, 0.25, 0.25),
            working_side=None,
            antialias=True,
            background=(0.0, 0.0, 0.0),
            box_rule="tight",
            grid_antialias=True,
            grid_floor=0.4,
        ),
        view_weight=0.7,
        text_weight=0.9,
        first_masked_block=4,
    ),
    lgd=LgdSettings(
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        attribute_weight=0.5,
        surrounding_weight=-0.1,
        local_share=0.8,
        background=(128, 128, 128),
        blur_px=20.0,
        square="squash",
        box_rule="tight",
        attribute_prompt="[ATT] {} :",
        surrounding_prompt="[SUR] {} :",
        phrase="{}",
        rectifier="off",
        synonyms="plain words",
    ),
    iterprime=IterPrimeSettings(
        mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), template="{}", peak_filter=False
    ),
    itm_layer=2,
    ranking=RankingSettings(
        alternatives=3,
        temperatures={"global-local": 2.0, "lgd": 20.0, "iterprime": 0.25, "spatial": 0.3},
        weights={"spatial": 0.0},  # it did not help: the tiny CLIP understands "left" without it
    ),
)

BASE_SAM_SETTINGS = SamSettings(
    working_side=1024,
    points_per_side=16,
    pred_iou_thresh=0.8,
    stability_score_thresh=0.9,
    box_nms_thresh=0.7,
    max_proposals=64,
    min_area_share=0.0008,
    max_area_share=0.95,
    same_mask_iou=0.85,
)
LGD_SAM_SETTINGS = SamSettings(  # LGD's released code; TAS and HybridGL have the same
    working_side=1024,
    points_per_side=8,
    pred_iou_thresh=0.7,
    stability_score_thresh=0.7,
    box_nms_thresh=0.7,
    max_proposals=192,
    min_area_share=0.0,
    max_area_share=1.0,
    same_mask_iou=1.01,
    speck_share=0.0,
    min_mask_region_area_px=800,
    min_area_px=2000,
    contained_share=0.4,
)

BASE = Preset(
    name="base",
    summary="published networks that a laptop can run; thresholds not tuned, figures not measured",
    masks=sources.SAM_B,
    clip=sources.CLIP_B32,
    itm=sources.BLIP_ITM,
    parser=sources.SPACY_SM,
    describer=sources.QWEN_2B,
    proposals=BASE_SAM_SETTINGS,
    global_local=global_local.GLOBAL_LOCAL_PAPER,
    lgd=lgd.LGD_PLAIN_WORDS,
    iterprime=iterprime.ITERPRIME_PAPER,
    itm_layer=8,
    ranking=RankingSettings(alternatives=3, temperatures={"iterprime": 0.1, "spatial": 0.3}),
)
PAPER = replace(
    BASE,
    name="paper",
    summary="the methods' authors' networks and released rules with LGD's proposals; spaCy in place of "
    "IteRPrimE's Stanza; needs a GPU; figures not measured",
    masks=sources.SAM_H,
    itm=sources.ALBEF,
    parser=sources.SPACY_TRF,  # LGD's; IteRPrimE's is Stanza, which is not supported here
    global_local_parser=sources.SPACY_LG,
    describer=sources.LLAVA_7B,
    proposals=LGD_SAM_SETTINGS,
    lgd=lgd.LGD_PAPER,
)
PAPER_RN50 = replace(
    PAPER,
    name="paper-rn50",
    summary="as paper, with the ResNet-50 variant of Global-Local CLIP; figures not measured",
    clip=sources.CLIP_RN50,
    global_local=global_local.GLOBAL_LOCAL_PAPER_RN50,
)
PAPER_QUERIES = replace(
    PAPER,
    name="paper-mask2former",
    summary="as paper, with IteRPrimE's Mask2Former, trained on COCO; no clicks; figures not measured",
    masks=sources.MASK2FORMER_L,
    proposals=QuerySettings(),
)
BEST = replace(
    BASE,
    name="best",
    summary="the strongest networks that are supported, for a GPU with 40 GB; figures not measured",
    masks=sources.SAM2_L,
    clip=sources.CLIP_L14,
    describer=sources.QWEN_8B,
    # The last three blocks of 24, as the paper's 9 leaves the last three of 12.
    global_local=replace(global_local.GLOBAL_LOCAL_PAPER, first_masked_block=21),
)

CLASSICAL = replace(
    TINY,
    name=NO_NETWORK_PRESET,
    summary=f"{NO_NETWORK}; for photographs, until networks are fetched",
    masks=None,
    clip=None,
    itm=None,
    describer=None,
    proposals=GroupingSettings(),
    ranking=RankingSettings(alternatives=3, temperatures={"attributes": 0.5}),
)

PRESETS = {preset.name: preset for preset in (TINY, BASE, PAPER, PAPER_RN50, PAPER_QUERIES, BEST, CLASSICAL)}


def find_preset(
    name: str, *, alternatives: int | None = None, known: Mapping[str, Preset] = PRESETS
) -> Preset:
    """Find a preset by its name.

    Args:
        name: the value of `RIS_PRESET`.
        alternatives: replaces the preset's number of alternatives (`RIS_ALTERNATIVES`); None keeps it.
        known: the presets to choose from, by name.

    Raises:
        SettingsError: there is no preset of that name.
    """
    if name not in known:
        raise SettingsError(f"there is no preset {name!r}; RIS_PRESET can be {', '.join(known)}")
    preset = known[name]
    if alternatives is None:
        return preset
    return replace(preset, ranking=replace(preset.ranking, alternatives=alternatives))
