"""The record of an export as a list, and what an export makes of it."""

from ris.core.decision import Decision
from ris.export.coco import write_coco
from ris.export.dataset import get_mask
from ris.export.imagefile import ImageBook
from ris.export.material import make_material
from ris.export.missing_images import MissingImages
from ris.export.omissions import OmissionFile
from ris.export.selection import ExportOptions
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from ris.store.export_pages import ListedAnswer

CONTROLS = read_controls(read("tabs_brush.xml"))


class DecisionList:
    """The decisions of a list, with the methods of `store.export_pages.AnswerPages`; counts its calls."""

    def __init__(self, decisions):
        self.decisions = list(decisions)
        self.sizes = []

    def list_answers(self):
        for row_id, one in enumerate(self.decisions):
            annotation, mask = one.correction.annotation, get_mask(one)
            yield ListedAnswer(
                row_id, annotation.annotation_id, annotation.task, annotation.updated_at,
                one.correction.verdict, mask.size if mask else None, one.image_digest, one.image_size,
            )  # fmt: skip

    def find_answers(self, row_ids):
        self.sizes.append(len(row_ids))
        found = (self.decisions[row_id] for row_id in row_ids)
        return [Decision(one.correction, (), None, None, one.version) for one in found]

    def find_decisions_of(self, row_ids):
        self.sizes.append(len(row_ids))
        found = (self.decisions[row_id] for row_id in row_ids)
        return [Decision(one.correction, one.alternatives, None, None, one.version) for one in found]


def make_list_material(
    decisions, choice, *, fetch, parse, controls=None, default_controls=CONTROLS, missing=None
):
    return make_material(
        DecisionList(decisions), choice, fetch=fetch, parse=parse, controls=controls or {},
        default_controls=default_controls, missing=missing,
    )  # fmt: skip


def make_samples(decisions, *, verdicts=(), missing=None, **options):
    """The samples of decisions, with alternatives, and the omissions."""
    choice = ExportOptions([], verdicts=[verdict.value for verdict in verdicts], **options)
    made = make_list_material(decisions, choice, fetch=str, parse=str, missing=missing)
    return list(made.full_samples), [one for part in made.unusable for one in part]


def make_missing_images(decisions, fetch, save=lambda task, image: None, **options):
    """The images of decisions that are not on record, fetched."""
    missing = MissingImages(DecisionList(decisions).list_answers())
    missing.fetch(fetch, save, **options)
    return missing


def collect_omissions(write):
    """Call `write(omit)` and return the omissions."""
    omissions = OmissionFile()
    write(omissions.omit)
    return list(omissions)


def make_image_book(decisions):
    images = ImageBook()
    for one in decisions:
        if one.image_digest is not None:
            images.add(one.image_digest, one.image_size, one.correction.annotation.task)
    return images


def write_coco_file(decisions, path):
    """Write COCO of decisions; return what was left out, with the reasons."""
    images = make_image_book(decisions)
    return collect_omissions(lambda omit: write_coco(decisions, path, images=images, omit=omit))
