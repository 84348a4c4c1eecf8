"""Reading by pages and writing item by item gives the bytes of the export that had everything in memory."""

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from benchmarks.records import fill_database
from ris.assembly import make_expression_parser
from ris.errors import DatasetError, ImageUnreachable
from ris.export.formats import EXPORT_FORMATS
from ris.export.imagefile import read_image_file
from ris.export.material import make_material
from ris.export.run import write_export
from ris.export.selection import ExportOptions
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from ris.store.current import rebuild_current
from ris.store.export_pages import AnswerPages
from ris.store.history import read_decisions
from ris.store.session import Database
from tests.builders.decisions import CHOICE, DECISIONS, fetch, material
from tests.builders.exported import DecisionList
from tests.builders.whole_export import write_whole_export

N_DECISIONS = 2_000
PROJECTS = [f"{number}.1700000000" for number in range(1, 5)]
DEFAULT = read_controls(read("tabs_brush.xml"))
PARSE = make_expression_parser()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A record with tasks of many answers, changed expressions, shared and unknown images, and odd texts."""
    url = f"sqlite:///{tmp_path_factory.mktemp('record') / 'ris.db'}"
    fill_database(url, N_DECISIONS)
    engine = create_engine(url)
    with engine.begin() as connection:
        for change in (
            "task_id = 2 * (task_id / 20) + 1 WHERE id % 5 = 0",  # more answers to some tasks
            "expression = 'x' WHERE id % 23 = 0",
            "expression = 'a' || char(8232) || 'b, \"c\"' || char(133) WHERE id % 29 = 0",
            "image_url = '/data/upload/9/shared.png' WHERE id % 31 = 0",
            "height = 100, width = 100 WHERE id % 37 = 0 AND height * width = 10000",
            "image_url = '/data/upload/9/' || id || '.jpg', task_id = 900000 + id WHERE id % 41 = 0",
        ):
            connection.execute(text(f"UPDATE correction SET {change}"))
    engine.dispose()
    database = Database.open(url)
    with database.begin() as session:
        for project in PROJECTS:
            rebuild_current(session, project)
    database.close()
    return url


@pytest.fixture
def database(url):
    database = Database.open(url)
    yield database
    database.close()


def refuse(file):
    raise AssertionError("not called")


def hash_files(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


OUTLINES = ("coco-polygons", "phrasecut", "yolo")  # tracing 2,000 masks takes minutes
OTHERS = [name for name in EXPORT_FORMATS if name not in (*OUTLINES, "huggingface")]
QUICK = ["coco", "jsonl", "refcoco", "grefcoco"]


def compare_exports(database, choice, folder, controls):
    """Export by pages and as a whole; return the number of decisions."""
    with database.begin() as session:
        decisions = list(read_decisions(session, project=choice.project))
    source = AnswerPages(database, project=choice.project)
    made = make_material(
        source, choice, fetch=refuse, parse=PARSE, controls=controls, default_controls=DEFAULT
    )
    write_export(made, choice, folder / "pages")
    write_whole_export(
        decisions, choice, folder / "whole",
        read=refuse, parse=PARSE, controls=controls, default=DEFAULT,
    )  # fmt: skip

    assert hash_files(folder / "pages") == hash_files(folder / "whole")
    return len(decisions)


@pytest.mark.parametrize(
    ("formats", "options"),
    [
        (OTHERS, {"shares": {"val": 0.2, "test": 0.1}, "seed": 3}),
        (QUICK, {"resolve": "majority", "verdicts": ["accepted", "edited", "no referent"]}),
        (QUICK, {"resolve": "all", "shares": {"train": 0.5, "val": 0.5}}),
        (OTHERS, {"verdicts": ["skipped"]}),
    ],
)
def test_every_byte_is_that_of_the_whole_computation(database, tmp_path, formats, options):
    controls = {PROJECTS[0]: read_controls(read("pick_brush.xml"))}

    count = compare_exports(database, ExportOptions(formats, **options), tmp_path, controls)

    assert count > 1_800


def test_every_byte_of_formats_of_outlines_is_that_of_the_whole_computation(database, tmp_path):
    controls = {PROJECTS[1]: read_controls(read("tabs_polygon.xml"))}
    choice = ExportOptions(
        [*OUTLINES, "labelstudio"], project=PROJECTS[1], verdicts=["redrawn", "no referent"],
        shares={"val": 0.3},
    )  # fmt: skip

    compare_exports(database, choice, tmp_path, controls)


def test_every_byte_of_parquet_files_is_that_of_the_whole_computation(tmp_path):
    def fetch_some(task):
        if task.task_id % 4 == 1:
            raise ImageUnreachable(f"cannot fetch the image of task {task.task_id}")
        return fetch(task)

    choice = replace(CHOICE, formats=["huggingface"])
    made = material(choice, fetch=fetch_some)

    def read_file(file):
        return read_image_file(file, made.images.read_tasks(file), fetch_some)

    write_export(made, choice, tmp_path / "pages")
    write_whole_export(
        DECISIONS, choice, tmp_path / "whole", read=read_file, parse=PARSE, controls={}, default=DEFAULT
    )

    assert hash_files(tmp_path / "pages") == hash_files(tmp_path / "whole")


def test_one_page_is_read_at_a_time_and_no_decision_alone(tmp_path):
    source = DecisionList(DECISIONS * 100)
    choice = ExportOptions(["jsonl"], resolve="all")
    made = make_material(source, choice, fetch=refuse, parse=PARSE, controls={}, default_controls=DEFAULT)

    write_export(made, choice, tmp_path)

    assert source.sizes == [200] * 6


def test_an_answer_that_arrives_meanwhile_is_in_no_format(tmp_path):
    source = DecisionList(DECISIONS[:3])
    choice = ExportOptions(["jsonl", "coco"])
    made = make_material(source, choice, fetch=refuse, parse=PARSE, controls={}, default_controls=DEFAULT)
    source.decisions += DECISIONS[3:]

    written = write_export(made, choice, tmp_path)

    assert len((tmp_path / "decisions.jsonl").read_text().splitlines()) == 3
    assert {name: len(done.omissions) for name, done in written.items()} == {"jsonl": 0, "coco": 0}


def test_an_export_that_fails_leaves_the_files_of_the_export_before(tmp_path):
    choice = ExportOptions(["coco"])
    write_export(material(choice), choice, tmp_path)
    before = hash_files(tmp_path)
    source = DecisionList(DECISIONS)
    source.find_answers = fail
    made = make_material(source, choice, fetch=refuse, parse=PARSE, controls={}, default_controls=DEFAULT)

    with pytest.raises(DatasetError, match="cannot be written: No space left on device"):
        write_export(made, choice, tmp_path)

    assert hash_files(tmp_path) == before


def fail(row_ids):
    raise OSError("No space left on device")


def test_progress_counts_what_each_format_reads(tmp_path):
    choice = ExportOptions(["coco", "refcoco"])
    seen = []

    write_export(material(choice), choice, tmp_path, on_progress=lambda *step: seen.append(step))

    assert seen == [("coco", 12, 12), ("refcoco", 11, 11)]
