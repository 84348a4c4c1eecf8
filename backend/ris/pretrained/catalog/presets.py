"""Presets: which networks, with which thresholds and which of a method's numbers. Data, not code paths.

The numbers of `base`, `paper` and `best` are the papers' or the publishers'; nobody here has measured them on
photographs, because no published weights could be had while this was written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ris.errors import SettingsError
from ris.pretrained.catalog import sources
from ris.pretrained.catalog.sources import Source
from ris.pretrained.masks.settings import QuerySettings, SamSettings
from ris.referring import global_local, iterprime, lgd
from ris.referring.crops import Framing
from ris.referring.global_local import GlobalLocalSettings
from ris.referring.iterprime import IterPrimeSettings
from ris.referring.lgd import LgdSettings
from ris.referring.ranking import RankingSettings

TINY_FOLDER = Path(__file__).parents[1] / "tiny"


@dataclass(frozen=True, slots=True)
class Preset:
    """Everything that makes one pipeline.

    Attributes:
        name: what `RIS_PRESET` says.
        summary: one line for people, saying what it is not good for as well.
        masks: the network that proposes, and that answers clicks where it can.
        clip: of Global-Local CLIP and LGD.
        itm: the matching network of IteRPrimE.
        parser: of the expressions, for all methods that have none of their own.
        describer: of LGD, unless the settings name another.
        proposals: the numbers of `masks`.
        itm_layer: of the matching network, whose cross-attention IteRPrimE reads.
        threads: that the networks use; None leaves PyTorch its own choice, all cores.
        global_local_parser, lgd_parser, iterprime_parser: what one method reads with instead of `parser`.
    """

    name: str
    summary: str
    masks: Source
    clip: Source
    itm: Source
    parser: Source
    describer: Source
    proposals: SamSettings | QuerySettings
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
        """By method's name, the parsers of those that have one of their own."""
        own = {
            "global-local": self.global_local_parser,
            "lgd": self.lgd_parser,
            "iterprime": self.iterprime_parser,
        }
        return {method: source for method, source in own.items() if source is not None}

    @property
    def sources(self) -> tuple[Source, ...]:
        """Its networks, each once."""
        of = (getattr(self, each.name) for each in fields(self))
        return tuple(dict.fromkeys(one for one in of if isinstance(one, Source)))


def _make_embedded_source(name: str, kind: sources.NetworkKind, parameters_m: float) -> Source:
    licence, saw = "Apache-2.0", "drawn scenes"
    if kind == "spacy":
        licence, saw = "CC BY-SA 4.0", "UD English EWT and phrases of the drawn world; no images"
    return Source(
        name=f"tiny-{name}", kind=kind, folder=TINY_FOLDER / name, parameters_m=parameters_m,
        licence=licence, saw=saw,
    )  # fmt: skip


TINY = Preset(
    name="tiny",
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
        mask_prompts=False,  # with them a click gets .55 IoU, without .88
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
        weights={"spatial": 0.0},  # it did not help: the tiny CLIP reads "left" by itself
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
LGD_SAM_SETTINGS = SamSettings(  # papers: LGD's released code; TAS and HybridGL have the same
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
    "IteRPrimE's Stanza; wants a GPU; figures not measured",
    masks=sources.SAM_H,
    itm=sources.ALBEF,
    parser=sources.SPACY_TRF,  # LGD's; IteRPrimE's is Stanza, which is not read here
    global_local_parser=sources.SPACY_LG,
    describer=sources.LLAVA_7B,
    proposals=LGD_SAM_SETTINGS,
    lgd=lgd.LGD_PAPER,
)
PAPER_RN50 = replace(
    PAPER,
    name="paper-rn50",
    summary="as paper, with Global-Local CLIP's other network; figures not measured",
    clip=sources.CLIP_RN50,
    global_local=global_local.GLOBAL_LOCAL_PAPER_RN50,
)
PAPER_QUERIES = replace(
    PAPER,
    name="paper-mask2former",
    summary="as paper, with IteRPrimE's proposals, which saw COCO; answers no clicks; figures not measured",
    masks=sources.MASK2FORMER_L,
    proposals=QuerySettings(),
)
BEST = replace(
    BASE,
    name="best",
    summary="what we would choose today, for a GPU of 40 GB; figures not measured",
    masks=sources.SAM2_L,
    clip=sources.CLIP_L14,
    describer=sources.QWEN_8B,
    global_local=replace(
        global_local.GLOBAL_LOCAL_PAPER, first_masked_block=21
    ),  # its last three of 24, as 9 is of 12
)

PRESETS = {one.name: one for one in (TINY, BASE, PAPER, PAPER_RN50, PAPER_QUERIES, BEST)}


def find_preset(
    name: str, *, alternatives: int | None = None, known: Mapping[str, Preset] = PRESETS
) -> Preset:
    """The preset that `RIS_PRESET` asks for, offering as many alternatives as `RIS_ALTERNATIVES` says.

    Args:
        known: those to choose from: ours, or ours and the user's.

    Raises:
        SettingsError: there is none of that name.
    """
    if name not in known:
        raise SettingsError(f"there is no preset {name!r}; RIS_PRESET can be {', '.join(known)}")
    preset = known[name]
    if alternatives is None:
        return preset
    return replace(preset, ranking=replace(preset.ranking, alternatives=alternatives))
