"""Presets: which networks, with which thresholds and which of a method's numbers. Data, not code paths."""

from dataclasses import dataclass, replace
from pathlib import Path

from backend.errors import SettingsError
from backend.pretrained.proposing import SamSettings
from backend.referring.crops import Framing
from backend.referring.global_local import GlobalLocalSettings
from backend.referring.iterprime import IterPrimeSettings
from backend.referring.lgd import LgdSettings
from backend.referring.ranking import RankingSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """Everything that makes one pipeline.

    Attributes:
        name: what `RIS_PRESET` says.
        summary: one line for people, saying what it is not good for as well.
        folder: where the networks lie, each in a folder of its own: clip, sam, parser, itm, describer.
        itm_layer: of the matching network, whose cross-attention IteRPrimE reads.
        threads: that the networks use; None leaves PyTorch its own choice, all cores.
    """

    name: str
    summary: str
    folder: Path
    proposals: SamSettings
    global_local: GlobalLocalSettings
    lgd: LgdSettings
    iterprime: IterPrimeSettings
    itm_layer: int
    ranking: RankingSettings
    threads: int | None = None


TINY = Preset(
    name="tiny",
    threads=1,
    summary="embedded toy networks, trained on drawn scenes: good on those, useless on photographs",
    folder=Path(__file__).parent / "tiny",
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
        rectifier=False,
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

PRESETS = {preset.name: preset for preset in (TINY,)}


def preset_named(name: str, *, alternatives: int | None = None) -> Preset:
    """The preset that `RIS_PRESET` asks for, offering as many alternatives as `RIS_ALTERNATIVES` says.

    Raises:
        SettingsError: there is none of that name.
    """
    if name not in PRESETS:
        raise SettingsError(f"there is no preset {name!r}; RIS_PRESET can be {', '.join(PRESETS)}")
    preset = PRESETS[name]
    if alternatives is None:
        return preset
    return replace(preset, ranking=replace(preset.ranking, alternatives=alternatives))
