"""All decisions that can be recorded are exported, and `validate_export` finds no difference."""

import hashlib
import io
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ris import label_config
from ris.assembly import make_expression_parser
from ris.core import rle
from ris.core.types import Annotation, MethodScore, Suggestion, Task
from ris.core.verdict import judge_annotation
from ris.errors import ImageUnreachable
from ris.export.dataset import AnswerRule
from ris.export.formats import EXPORT_FORMATS
from ris.export.material import make_material
from ris.export.missing_images import MissingImages
from ris.export.run import find_written_files, write_export, write_images
from ris.export.selection import ExportOptions
from ris.export.validate import read_export_options, validate_export
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.images.decoding import decode_image
from ris.labelstudio.region import make_alternatives, to_shown_alternative
from ris.store.export_pages import AnswerPages
from ris.store.records import add_alternatives, add_correction, add_deletion, add_task_image, save_project
from ris.store.session import Database, upgrade_database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PARSE = make_expression_parser()
CONFIGS = ("tabs_brush", "tabs_polygon", "pick_brush", "pick_bitmask", "pick_rectangle", "type_brush")
ODD_WORDS = (
    "the left mug", "The man's LEFT mug!", "a\u2028b\u2029c", "x\x85y", "one\ntwo\r\nthree", "🦉", "बायाँ कप",
    '"quoted": #1 {no}', "\\u0041 %s \\", "=1+1", "yes", "12", "word " * 199 + "end", "ä" * 2000,
    "\ufeffm", "\x01",
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """One answer of one annotator: the task, the kind of answer and the time."""

    task: Task
    act: str
    mask: np.ndarray
    annotator: int
    minutes: int
    is_deleted: bool


def words():
    free = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
    )
    return st.sampled_from(ODD_WORDS) | free.map(str.strip).filter(bool)


@st.composite
def worlds(draw):
    """Images, their addresses, label configs of two projects, tasks, and answers."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 11), st.integers(1, 11)), min_size=1, max_size=3))
    projects = {f"{n}.1700000000": draw(st.sampled_from(CONFIGS)) for n in (1, 2)}
    references = [f"/data/upload/{i}/a.png" for i in range(4)] + [
        "https://x.org/a.jpg?X-Amz-Signature=1",
        "s3://shop/a b.webp",
        "upload/7/a.png",
    ]
    leads_to = {r: draw(st.integers(0, len(sizes) - 1)) for r in references}
    said = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        reference = draw(st.sampled_from(references))
        size = sizes[leads_to[reference]]
        task = Task(
            draw(st.integers(1, 4)), draw(st.sampled_from(sorted(projects))), reference, draw(words())
        )
        shape = draw(st.sampled_from(["random", "one pixel", "all", "ring", "none"]))
        said.append(
            Said(
                task, draw(st.sampled_from(["accept", "edit", "draw", "skip", "nothing"])),
                make_mask(shape, size, number), draw(st.integers(1, 3)), draw(st.integers(0, 9)),
                draw(st.integers(0, 9)) == 0,
            )
        )  # fmt: skip
    asked = draw(st.sets(st.integers(0, len(said) - 1)))
    gone = draw(st.sets(st.sampled_from(references), max_size=1))
    return sizes, projects, leads_to, said, asked, gone


def make_mask(shape, size, seed):
    mask = np.zeros(size, np.bool_)
    if shape == "random":
        mask = np.random.default_rng(seed).random(size) > 0.5
    elif shape == "one pixel":
        mask[seed % size[0], seed % size[1]] = True
    elif shape == "all":
        mask[:] = True
    elif shape == "ring":
        mask[:] = True
        mask[1:-1, 1:-1] = False
    return with_a_pixel(mask)


def with_a_pixel(mask):
    """Empty masks are neither answers nor alternatives."""
    mask[-1, -1] |= not mask.any()
    return mask


def picture(number, size):
    file = io.BytesIO()
    Image.new("RGB", size[::-1], (number * 50, 80, 90)).save(file, "PNG")
    return file.getvalue()


class Studio:
    """Returns the image of a reference, unless it was deleted."""

    def __init__(self, sizes, leads_to, gone):
        self.sizes, self.leads_to, self.n_gone = sizes, leads_to, gone

    def fetch(self, task):
        if task.image_url in self.n_gone:
            raise ImageUnreachable(f"cannot fetch the image of task {task.task_id}: it is not there")
        number = self.leads_to[task.image_url]
        return picture(number, self.sizes[number])

    def see(self, task):
        return decode_image(self.fetch(task), max_pixels=10**6)


def record(database, world):
    """Record as the service does: alternatives, answers compared with them, deletions."""
    _, projects, leads_to, said, asked, _ = world
    with database.begin() as session:
        for key, config in projects.items():
            save_project(
                session, key, label_config=label_config.read(f"{config}.xml"), extra_params={}, now=NOW
            )
        for number, one in enumerate(said):
            controls = read_controls(label_config.read(f"{projects[one.task.project]}.xml"))
            offers = ()
            if number in asked:
                offers = make_alternatives(
                    one.task, "v1", suggestions(one.mask.shape, number), shuffled_share=0.5
                )
                data = picture(leads_to[one.task.image_url], one.mask.shape)
                add_alternatives(
                    session, one.task, hashlib.sha256(data).hexdigest(), one.mask.shape, offers, version="v1",
                    method_scores=(), now=NOW,
                )  # fmt: skip
            shown = [to_shown_alternative(offer, controls) for offer in offers]
            correction = judge_annotation(answer(number + 1, one, shown), shown)
            version = "v1" if shown else None
            add_correction(session, correction, version=version, event_id=None, now=NOW)
            if one.is_deleted:
                add_deletion(session, one.task.project, annotation_ids=[number + 1], event_id=None, now=NOW)


def suggestions(size, seed):
    chance = np.random.default_rng(seed)
    masks = [rle.encode_rle(with_a_pixel(chance.random(size) > share)) for share in (0.3, 0.5, 0.7)]
    methods = {"lgd": MethodScore(0.5, 0)}
    return [Suggestion(r, 0.9 - r / 10, m, (0, 0, 1, 1), methods, "v1") for r, m in enumerate(masks)]


def answer(number, one, shown):
    mask, ids = rle.encode_rle(one.mask), ("x7Kq",)
    if one.act in ("accept", "edit") and shown:
        taken = shown[number % len(shown)]
        pixels = rle.decode_rle(taken.suggestion.mask).copy()
        if one.act == "edit":
            pixels[0, 0] = not pixels[0, 0]
        mask, ids = rle.encode_rle(with_a_pixel(pixels)), (taken.region_id,)
    if one.act == "nothing":
        mask, ids = None, ()
    at = NOW + timedelta(minutes=one.minutes)
    return Annotation(
        number, one.task, at, mask, ids, cancelled=one.act == "skip", annotator=one.annotator, lead_time_s=1.5
    )


CHOICES = st.builds(
    ExportOptions,
    formats=st.just([name for name in EXPORT_FORMATS if name != "huggingface"]),
    resolve=st.sampled_from(get_args(AnswerRule)),
    shares=st.sampled_from([{}, {"val": 0.5}, {"val": 0.3, "test": 0.3}]),
    seed=st.integers(0, 9),
    verdicts=st.sampled_from([[], [], ["accepted", "redrawn"], ["no referent"]]),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    file = tmp_path_factory.mktemp("empty") / "ris.db"
    upgrade_database(f"sqlite:///{file}")
    return file


def read(database, world, choice, studio):
    """The material of an export and of `validate_export`; fetched images stay recorded."""

    def keep(task, image):
        with database.begin() as session:
            add_task_image(session, task, image.digest, image.size, now=NOW)

    source = AnswerPages(database)
    missing = MissingImages(source.list_answers())
    missing.fetch(studio.see, keep)
    controls = {key: read_controls(label_config.read(f"{name}.xml")) for key, name in world[1].items()}
    default = controls[min(controls)]
    return make_material(
        source, choice, fetch=studio.fetch, parse=PARSE, controls=controls, default_controls=default,
        missing=missing,
    )  # fmt: skip


def goes_out_and_back(empty, folder, world, choice):
    shutil.copy(empty, folder / "ris.db")
    database = Database.open(f"sqlite:///{folder / 'ris.db'}")
    sizes, _, leads_to, _, _, gone = world
    try:
        record(database, world)
        material = read(database, world, choice, Studio(sizes, leads_to, gone))
        out = folder / "out"
        written = write_export(material, choice, out)
        files = list(find_written_files(material, choice))
        told = list(write_images(files, material.images, out / "images", material.fetch))
        places = {(s.image_key, s.file_name, s.split) for s in material.samples}
        # Validate without Label Studio: the record is enough.
        again = read(database, world, choice, Studio(sizes, leads_to, set(leads_to)))
        exported, count = read_export_options(out)
        problems = validate_export(out, exported, again)
    finally:
        database.close()
    missing = [sentence for sentence in told if sentence]

    assert {name: found for name, found in problems.items() if found} == {}
    assert count == len(material.records) + sum(len(part) for part in material.not_chosen)
    assert all(
        count >= len(done.omissions) and all(o.reason for o in done.omissions) for done in written.values()
    )
    assert len(places) == len({key for key, _, _ in places}) == len({name for _, name, _ in places})
    assert bool(missing) <= bool(gone)
    assert len({file.digest for file in files}) == len(files)
    assert len(list((out / "images").iterdir())) == len(files) - len(missing)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(world=worlds(), choice=CHOICES)
def test_any_record_goes_out_in_every_format_and_comes_back(empty, tmp_path_factory, world, choice):
    goes_out_and_back(empty, tmp_path_factory.mktemp("any"), world, choice)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds(), seed=st.integers(0, 9))
def test_any_record_comes_back_from_hugging_face(empty, tmp_path_factory, world, seed):
    choice = ExportOptions(formats=["huggingface"], shares={"val": 0.5}, seed=seed)
    goes_out_and_back(empty, tmp_path_factory.mktemp("face"), world, choice)
