import numpy as np
import pytest

from ris.core import rle
from ris.datasets.entry import WITHOUT_MASK, Defect, Entry
from ris.datasets.files import to_upload_name
from ris.datasets.rows import read_row
from ris.errors import DatasetError, LabelConfigError
from ris.label_config import read
from ris.labelstudio.answer import is_imported
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.result import read_mask
from ris.service.importing import (
    Dataset,
    drop_invalid_masks,
    find_images,
    make_image_reference,
    make_import_plan,
    make_tasks,
    read_dataset,
)
from tests.builders import phrasecut, refcoco

PICK, TABS = read_controls(read("pick_brush.xml")), read_controls(read("tabs_brush.xml"))
MASK = rle.encode_rle(np.eye(6, 9, dtype=np.bool_))
KNOWN = Entry("the left mug", "a.jpg", (6, 9), MASK, True, "val")
NONE = Entry("a dog", "a.jpg", (6, 9), None, False, "val")
UNKNOWN = Entry("the cup", "b/c.jpg", None, None, True, "train")


def made(*entries, controls=PICK):
    return make_tasks(entries, controls, lambda name: f"/data/{name}")


@pytest.mark.parametrize("controls", [PICK, TABS])
def test_a_known_mask_is_ground_truth_that_reads_back(controls):
    (task,) = made(KNOWN, controls=controls)

    (truth,) = task["annotations"]
    assert task["data"] == {"image": "/data/a.jpg", "expression": "the left mug", "split": "val"}
    assert task["meta"] == {"ris_image": "a.jpg"}
    assert truth["ground_truth"] is True
    assert read_mask(select_meant_regions(truth["result"], controls))[0] == MASK


def test_the_data_is_what_the_label_config_shows():
    brush = '<BrushLabels name="mask" toName="image"><Label value="It"/></BrushLabels>'
    nested = read_controls(
        f'<View><HyperText name="t" value="$d.html"/><Image name="image" value="$d.pages[0]"/>{brush}</View>'
    )
    fixed = read_controls(
        f'<View><Header value="$phrase"/><Image name="image" value="https://x/a.png"/>{brush}</View>'
    )

    (task,) = made(Entry("a < b", "a.jpg", None, None, True, "val"), controls=nested)

    assert task["data"] == {"d": {"html": "a &lt; b", "pages": ["/data/a.jpg"]}, "split": "val"}
    with pytest.raises(LabelConfigError, match="cannot become '/data/a.jpg'"):
        made(KNOWN, controls=fixed)


def test_what_is_not_there_is_the_choice_that_says_so_and_what_is_not_known_stays_open():
    none, unknown = made(NONE, UNKNOWN)

    assert [r["value"]["choices"] for r in none["annotations"][0]["result"]] == [["object not in image"]]
    assert "annotations" not in unknown


def test_imported_truth_is_nobodys_decision_until_somebody_works_on_it():
    (truth,) = made(KNOWN)[0]["annotations"]
    drawn = {**truth["result"][0], "id": "x1"}

    assert is_imported(truth)
    assert not is_imported(truth | {"lead_time": 3.2})
    assert not is_imported(truth | {"result": [*truth["result"], drawn]})
    assert not is_imported(truth | {"result": []})


def test_every_kind_of_dataset_is_told_by_its_files(tmp_path):
    folders = [tmp_path / name for name in ("refcoco", "phrasecut", "captions")]
    for folder in folders:
        folder.mkdir()
    refcoco.write(folders[0], [refcoco.ref(7, "left box")])
    phrasecut.write(folders[1], [phrasecut.task([[[[1, 1], [5, 5], [1, 5]]]])])
    (folders[2] / "captions.txt").write_text("a.png\tthe mug\n")

    assert [read_dataset(folder).entries[0].expression for folder in folders] == [
        "left box",
        "red box",
        "the mug",
    ]
    with pytest.raises(DatasetError, match="nothing does not exist; name a folder"):
        read_dataset(tmp_path / "nothing")


def entry(words, image, mask=None, task=None):
    return Entry(words, image, None, mask, True, "train", task or {})


def test_images_are_found_by_their_path_or_their_name_and_what_has_none_is_left_out(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("a.jpg", "b/c.jpg"):
        (tmp_path / name).write_bytes(b"x")
    entries = (KNOWN, UNKNOWN, entry("x", "/deep/a.jpg"), entry("y", "z.jpg"), entry("z", "z.jpg"))

    found, dataset = find_images(Dataset(entries, ()), tmp_path)

    assert {name: path.relative_to(tmp_path).as_posix() for name, path in found.items()} == {
        "a.jpg": "a.jpg", "b/c.jpg": "b/c.jpg", "/deep/a.jpg": "a.jpg",
    }  # fmt: skip
    assert dataset.entries == entries[:3]
    assert dataset.defects == (Defect("'z.jpg'", f"its image is not in {tmp_path}"),) * 2
    with pytest.raises(DatasetError, match="1 images are not in .*, the first is 'z.jpg'"):
        find_images(Dataset(entries[3:], ()), tmp_path)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("images\\a.png", "/data/local-files/?d=shop/images/a.png"),
        ("..\\..\\media\\a.png", "/data/local-files/?d=shop/a.png"),
        ("C:\\pics\\a.png", "/data/local-files/?d=shop/a.png"),
        ("left owl (1) #50%&.png", "/data/local-files/?d=shop/left%20owl%20%281%29%20%2350%25%26.png"),
        ("file:///C:/pics/a%20b.png", "/data/local-files/?d=shop/a%20b.png"),
        ("https://x/a.png", "https://x/a.png"),
        ("/data/upload/1/a.png", "/data/upload/1/a.png"),
        ("data:image/png;base64,x/+y=", "data:image/png;base64,x/+y="),
    ],
)
def test_a_name_behind_a_prefix_is_one_that_a_server_finds(name, reference):
    assert make_image_reference("/data/local-files/?d=shop/", name) == reference
    assert make_image_reference("", name) == name


def test_a_bucket_has_names_as_they_are():
    assert make_image_reference("s3://mugs/", "left owl.png") == "s3://mugs/left owl.png"


def test_nothing_that_can_be_used_is_an_error_with_the_first_reason(tmp_path):
    (tmp_path / "t.csv").write_text("image,expression\n,x\n")

    with pytest.raises(
        DatasetError, match="no part of .*t.csv can be used: t.csv, row 2: its image has no name"
    ):
        read_dataset(tmp_path / "t.csv")


@pytest.mark.parametrize("text", ["image,expression\n", "[]"])
def test_a_file_that_holds_nothing_is_an_error(tmp_path, text):
    (tmp_path / "t").write_text(text)

    with pytest.raises(DatasetError, match="t contains no expression"):
        read_dataset(tmp_path / "t")


def test_a_mask_without_pixels_or_of_another_size_than_its_picture_is_not_used():
    nothing = rle.encode_rle(np.zeros((6, 9), np.bool_))
    entries = (KNOWN, entry("x", "b.jpg", MASK), entry("y", "c.jpg", nothing))

    dataset = drop_invalid_masks(Dataset(entries, ()), {"a.jpg": (6, 9), "b.jpg": (9, 6)})

    assert dataset.entries == (KNOWN, entry("x", "b.jpg"), entry("y", "c.jpg"))
    assert [(defect.reason, defect.outcome) for defect in dataset.defects] == [
        ("its mask is of another size than its image", WITHOUT_MASK),
        ("its mask has no pixels", WITHOUT_MASK),
    ]


STORED = "/data/upload/4/1a2b3c4d-"


def in_project(tasks):
    return [{"id": i, **task} for i, task in enumerate(tasks)]


def test_what_a_project_has_is_left_alone_however_often_it_is_imported():
    entries = [KNOWN, UNKNOWN, KNOWN, entry("x", "a b.png"), entry("x", "a_b.png")]
    tasks = in_project(make_tasks(entries, PICK, lambda name: STORED + to_upload_name(name)))

    for count in range(len(entries) + 1):
        present = make_import_plan(entries, tasks[:count], PICK)
        assert (len(present.missing), present.n_present) == (len(entries) - count, count)
        assert list(present.missing) == entries[count:]
    assert make_import_plan(entries, tasks, PICK).references["a b.png"] == STORED + "a_b.png"
    assert make_import_plan([*entries, KNOWN], tasks, PICK).missing == (KNOWN,)
    assert make_import_plan([entry("x", "c b.png")], tasks, PICK).n_present == 0


@pytest.mark.parametrize(
    "reference",
    [
        STORED + "left_owl_1.png",
        "http://ls.example/data/upload/4/1a2b3c4d-left_owl_1.png",
        "/label-studio/data/upload/4/1a2b3c4d-left_owl_1.png",
        "/data/local-files/?d=shop/left%20owl%20(1).png",
        "s3://bucket/shop/left owl (1).png",
    ],
)
def test_a_task_that_came_in_another_way_is_known_by_the_end_of_its_images_address(reference):
    tasks = [{"id": 1, "data": {"image": reference, "expression": " the owl "}, "meta": None}]

    assert make_import_plan([entry("the owl", "in\\left owl (1).png")], tasks, PICK).n_present == 1
    assert make_import_plan([entry("the dog", "left owl (1).png")], tasks, PICK).n_present == 0


def test_label_studios_own_json_keeps_its_answers_and_predictions_and_is_known_again():
    region = {"id": "r", "value": {}}
    own = {
        "id": 7, "data": {"image": STORED + "a.png", "expression": "x", "shop": 3},
        "meta": {"ris_image": "a.png"},
        "annotations": [
            {"id": 1, "completed_by": 5, "result": [region], "was_cancelled": False, "lead_time": 2.5}
        ],
        "predictions": [{"id": 2, "task": 7, "result": [region], "score": 0.5, "model_version": "v"}, 9],
    }  # fmt: skip
    (read,) = scan_row(own)

    (task,) = make_tasks([read], PICK, lambda name: "/data/new.png")

    assert task == {
        "data": {"image": "/data/new.png", "expression": "x", "shop": 3},
        "meta": {"ris_image": "a.png"},
        "annotations": [{"result": [region], "was_cancelled": False, "lead_time": 2.5}],
        "predictions": [{"result": [region], "score": 0.5, "model_version": "v"}],
    }  # fmt: skip
    assert make_import_plan([read], [own], PICK).n_present == 1
    assert make_import_plan([read], [task], PICK).n_present == 1


def scan_row(row):
    return list(read_row("row", row))


def test_ten_thousand_tasks_are_compared_in_one_pass():
    entries = [entry("the mug", f"{i}.png") for i in range(10_000)]
    reads = []

    def listed():
        for i in range(10_000):
            reads.append(i)
            yield {"id": i, "data": {"image": STORED + f"{i}.png", "expression": "the mug"}}

    assert make_import_plan(entries, listed(), PICK).n_present == 10_000
    assert reads == list(range(10_000))
