"""Load the networks of a preset. Only this module knows which class reads which kind of folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ris.errors import SettingsError
from ris.pretrained.catalog.presets import Preset
from ris.pretrained.catalog.sources import Source
from ris.pretrained.clip.network import pack_clip
from ris.pretrained.clip.vit import load_clip
from ris.pretrained.device import Precision
from ris.pretrained.language.describer import BlipDescriber, ChatDescriber
from ris.pretrained.language.parser import SpacyParser
from ris.pretrained.linear_ops import find_linear_layers, pack_layers
from ris.pretrained.linear_speed import LinearSpeeds
from ris.pretrained.masks.mask2former import Mask2FormerProposer
from ris.pretrained.masks.sam import SamProposer, load_sam, pack_sam
from ris.pretrained.masks.sam2 import Sam2Proposer
from ris.pretrained.masks.settings import GroupingSettings, QuerySettings, SamSettings
from ris.pretrained.matching.albef import load_albef
from ris.pretrained.matching.blip import load_blip
from ris.referring.protocols import Describer, Encoder, Matcher, Parser, Proposer, Refiner


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads the networks of one preset, with the products by the fastest way on this machine.

    The ways are measured at the first load on a processor, and kept in the models folder.

    Attributes:
        preset: the preset.
        models: the folder of the fetched networks.
        device: where the networks run, as PyTorch names it.
        precision: of the networks of the methods; those that make masks always run in float32.
    """

    preset: Preset
    models: Path
    device: str = "cpu"
    precision: Precision = "fp32"

    def load_proposer(self) -> tuple[Proposer, Refiner | None]:
        """Load the proposer, and the refiner that answers clicks; None where the network takes no clicks.

        Raises:
            WeightsError: a file is missing or damaged.
            SettingsError: the preset names a network that cannot propose masks.
        """
        preset = self.preset
        source = preset.masks
        if source is None:
            return self._load_grouping()
        folder = source.get_folder(self.models)
        match source.kind, preset.proposals:
            case "sam", SamSettings() as settings:
                sam = load_sam(folder, device=self.device)
                with LinearSpeeds(self.models) as speeds:
                    pack_sam(sam, speeds)
                proposer = SamProposer(sam, settings)
                return proposer, proposer
            case "sam2", SamSettings() as settings:
                sam2 = Sam2Proposer.load(folder, settings, device=self.device)
                self._pack_all(sam2.model)
                return sam2, sam2
            case "mask2former", QuerySettings() as queries:
                mask2former = Mask2FormerProposer.load(folder, queries, device=self.device)
                self._pack_all(mask2former.model)
                return mask2former, None
        raise self._make_error(source, "propose masks with these settings")

    def _load_grouping(self) -> tuple[Proposer, Refiner]:
        from ris.pretrained.regions.proposer import GroupingProposer  # here: scikit-image takes a second
        from ris.pretrained.regions.refiner import GrabCutRefiner

        settings = self.preset.proposals
        if not isinstance(settings, GroupingSettings):
            raise SettingsError(
                f"preset {self.preset.name!r}: it names no network for masks; base it on `classical`"
            )
        return GroupingProposer(settings), GrabCutRefiner(settings)

    def load_encoder(self) -> Encoder | None:
        """Load the CLIP of Global-Local CLIP and LGD; None where the preset has none.

        Raises as `load_proposer`.
        """
        source = self.preset.clip
        if source is None:
            return None
        if source.kind != "clip":
            raise self._make_error(source, "be the preset's CLIP")
        encoder = load_clip(source.get_folder(self.models), device=self.device, precision=self.precision)
        with LinearSpeeds(self.models) as speeds:
            pack_clip(encoder.model, speeds)
        return encoder

    def load_matcher(self) -> Matcher | None:
        """Load the matcher of IteRPrimE; None where the preset has none. Raises as `load_proposer`."""
        source, layer = self.preset.itm, self.preset.itm_layer
        if source is None:
            return None
        folder = source.get_folder(self.models)
        loaders = {"blip-itm": load_blip, "albef": load_albef}
        if source.kind not in loaders:
            raise self._make_error(source, "match images with texts")
        matcher = loaders[source.kind](folder, layer=layer, device=self.device, precision=self.precision)
        with LinearSpeeds(self.models) as speeds:
            matcher.pack(speeds)
        return matcher

    def load_parser(self) -> Parser:
        """Load the parser of expressions. Raises as `load_proposer`."""
        return self._load_parser(self.preset.parser)

    def load_parsers(self) -> tuple[Parser, dict[str, Parser]]:
        """Load the parser of expressions, and the methods' own parsers by the method's name; each once.

        Raises as `load_proposer`.
        """
        first, own = self.preset.parser, self.preset.own_parsers
        folders = {source.get_folder(self.models): source for source in (first, *own.values())}
        loaded = {folder: self._load_parser(source) for folder, source in folders.items()}
        parser = loaded[first.get_folder(self.models)]
        return parser, {method: loaded[source.get_folder(self.models)] for method, source in own.items()}

    def _load_parser(self, source: Source) -> Parser:
        if source.kind != "spacy":
            raise self._make_error(source, "parse expressions")
        return SpacyParser.load(source.get_folder(self.models))

    def load_describer(self) -> Describer | None:
        """Load the describer of LGD; None where the preset has none. Raises as `load_proposer`."""
        source = self.preset.describer
        if source is None:
            return None
        folder = source.get_folder(self.models)
        if source.kind == "blip-caption":
            matching = self.preset.iterprime  # both share preprocessing
            describer = BlipDescriber.load(folder, mean=matching.mean, std=matching.std, device=self.device)
            self._pack_all(describer.network)
            return describer
        if source.kind == "chat":
            return ChatDescriber.load(str(folder), device=self.device)
        raise self._make_error(source, "describe images")

    def _pack_all(self, network: Any) -> None:
        """Pack the linear layers of a network whose library calls them and reads no weight of theirs."""
        with LinearSpeeds(self.models) as speeds:
            pack_layers(find_linear_layers(network), speeds)

    def _make_error(self, source: Source, task: str) -> SettingsError:
        return SettingsError(
            f"preset {self.preset.name!r}: {source.name}, a network of kind {source.kind!r}, cannot {task}"
        )
