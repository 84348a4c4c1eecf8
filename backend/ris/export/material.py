"""The input of an export: views of the record that every format reads in its own pace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ris.export.dataset import UnseenReasons
from ris.export.imagefile import ImageBook
from ris.export.missing_images import MissingImages
from ris.export.omissions import OmissionFile
from ris.export.phrases import ExpressionParser
from ris.export.pictures import ImageBytesSource
from ris.export.selection import AnswerSource, DecisionView, ExportOptions, SampleView, select_answers
from ris.labelstudio.config.control import Controls


@dataclass(frozen=True, slots=True)
class Material:
    """The input of an export.

    Attributes:
        n_decisions: number of all current decisions.
        records: all decisions with a chosen verdict, without alternatives; a task may have several, and may
            be skipped.
        full_records: the same with their alternatives.
        pictured: the records whose image is known and has the size of the mask.
        n_pictured_masks: number of those with a mask.
        samples: the samples of a dataset, without alternatives: one answer for each task, or all.
        full_samples: the same with their alternatives.
        n_sample_masks: number of samples with a mask.
        not_chosen: decisions with another verdict, with reasons.
        unusable: decisions that give no sample, with reasons.
        images: the images of all decisions.
        unseen: why images could not be fetched.
        fetch: returns the bytes of a task's image file, or raises an ImageError.
        parse: parses the grammar of an expression.
        controls: by project, how its label config writes masks.
        default_controls: the same for projects whose label config is unknown.
    """

    n_decisions: int
    records: DecisionView
    full_records: DecisionView
    pictured: DecisionView
    n_pictured_masks: int
    samples: SampleView
    full_samples: SampleView
    n_sample_masks: int
    not_chosen: Sequence[OmissionFile]
    unusable: Sequence[OmissionFile]
    images: ImageBook
    unseen: UnseenReasons
    fetch: ImageBytesSource
    parse: ExpressionParser
    controls: Mapping[str, Controls]
    default_controls: Controls

    def watch(self, on_page: Callable[[int, int], None]) -> "Material":
        """Return the same material that reports how far it is read: the number of items done, and of all."""
        return replace(
            self,
            records=self.records.watch(lambda done: on_page(done, len(self.records))),
            full_records=self.full_records.watch(lambda done: on_page(done, len(self.records))),
            pictured=self.pictured.watch(lambda done: on_page(done, len(self.pictured))),
            samples=self.samples.watch(lambda done: on_page(done, len(self.samples))),
            full_samples=self.full_samples.watch(lambda done: on_page(done, len(self.samples))),
        )


def make_material(
    source: AnswerSource,
    options: ExportOptions,
    *,
    fetch: ImageBytesSource,
    parse: ExpressionParser,
    controls: Mapping[str, Controls],
    default_controls: Controls,
    missing: MissingImages | None = None,
) -> Material:
    """Select the decisions of an export.

    Args:
        source: the current decisions.
        options: the options of the export.
        fetch: returns the bytes of a task's image file, or raises an ImageError.
        parse: parses the grammar of an expression.
        controls: by project, how its label config writes masks.
        default_controls: the same for projects whose label config is unknown.
        missing: the images that were not on record, fetched.

    Raises:
        InputError: the shares or a split's name are not valid.
    """
    missing = MissingImages() if missing is None else missing
    chosen = select_answers(source, options, unseen=missing.find_reason, find_image=missing.add_image)
    find, find_full = (
        chosen.consensus.wrap(one, source.find_answers)
        for one in (source.find_answers, source.find_decisions_of)
    )
    samples, full_samples = chosen.view(chosen.samples, find), chosen.view(chosen.samples, find_full)
    return Material(
        n_decisions=len(chosen.row_ids),
        records=chosen.view(chosen.records, source.find_answers),
        full_records=chosen.view(chosen.records, source.find_decisions_of),
        pictured=chosen.view(chosen.pictured, source.find_answers),
        n_pictured_masks=sum(chosen.has_mask[place] for place in chosen.pictured),
        samples=SampleView(samples, options.shares, options.seed),
        full_samples=SampleView(full_samples, options.shares, options.seed),
        n_sample_masks=sum(chosen.has_mask[place] for place in chosen.samples),
        not_chosen=[chosen.not_chosen], unusable=[chosen.unusable, chosen.outvoted],
        images=chosen.images, unseen=missing.find_reason, fetch=fetch,
        parse=parse, controls=controls, default_controls=default_controls,
    )  # fmt: skip
