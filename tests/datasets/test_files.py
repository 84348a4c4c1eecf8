import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.datasets.files import ImageFolder, get_last_part, is_address, to_inner_path, to_upload_name


@pytest.mark.parametrize(
    ("name", "last", "inner"),
    [
        ("a.png", "a.png", "a.png"),
        ("in/a.png", "a.png", "in/a.png"),
        ("in\\a.png", "a.png", "in/a.png"),
        (".\\in\\\\a.png", "a.png", "in/a.png"),
        ("..\\..\\media\\a.png", "a.png", "a.png"),
        ("C:\\Users\\me\\a.png", "a.png", "a.png"),
        ("c:a.png", "a.png", "a.png"),
        ("\\\\server\\share\\a.png", "a.png", "a.png"),
        ("/home/me/a.png", "a.png", "a.png"),
        ("in/../../a.png", "a.png", "a.png"),
        ("50% #1?.png", "50% #1?.png", "50% #1?.png"),
        ("http://x/in/a%20b.png?x=1#y", "a b.png", "a b.png"),
        ("/data/upload/4/1a2b3c4d-a_b.png", "1a2b3c4d-a_b.png", "1a2b3c4d-a_b.png"),
        ("/ls/data/local-files/?d=in/a%20b.png", "a b.png", "a b.png"),
        ("s3://bucket/in/a.png", "a.png", "a.png"),
        ("file:///C:/pics/a%20b.png", "a b.png", "a b.png"),
        ("file:\\\\\\C:\\pics\\a.png", "a.png", "a.png"),
        ("FILE://server/share/a.png", "a.png", "a.png"),
        ("file:/home/me/a.png", "a.png", "a.png"),
    ],
)
def test_a_path_of_any_system_and_an_address_have_a_last_part(name, last, inner):
    assert (get_last_part(name), to_inner_path(name)) == (last, inner)


def test_what_is_an_address_is_no_file():
    for name in (
        "data:image/png;base64,x",
        "https://x/a.png",
        "/data/upload/1/a.png",
        "/ls/data/upload/1/a.png",
    ):
        assert is_address(name)
    for name in (
        "a.png",
        "C:\\a.png",
        "/home/a.png",
        "data/upload.png",
        "a://",
        "file:///C:/a.png",
        "in/data/upload/a.png",
    ):
        assert not is_address(name) or name == "a://"


@pytest.fixture
def folder(tmp_path):
    for name in (
        "a b.png",
        "a_b.png",
        "in/deep.png",
        "Größe.JPG",
        "x.png",
        "X.PNG",
        "left owl (1).png",
        "№2.png",
    ):
        (tmp_path / "pics" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pics" / name).write_bytes(name.encode())
    (tmp_path / "secret.png").write_bytes(b"secret")
    return ImageFolder(tmp_path / "pics")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a b.png", "a b.png"),
        ("a_b.png", "a_b.png"),
        ("somewhere\\a b.png", "a b.png"),
        ("in/deep.png", "in/deep.png"),
        ("in\\deep.png", "in/deep.png"),
        ("deep.png", None),
        ("x.png", "x.png"),
        ("y/x.png", "x.png"),
        ("x.Png", None),
        ("größe.jpg", "Größe.JPG"),
        (unicodedata.normalize("NFD", "Größe.JPG"), "Größe.JPG"),
        ("/data/upload/4/1a2b3c4d-left_owl_1.png", "left owl (1).png"),
        ("/data/upload/4/1a2b3c4d-2.png", "№2.png"),
        ("/data/upload/4/1a2b3c4d-a_b.png", "a_b.png"),
        ("../secret.png", None),
        ("in/../../secret.png", None),
        ("in\\..\\..\\secret.png", None),
        ("", None),
        ("in", None),
        ("..", None),
        ("a" * 300, None),
        ("a\x00.png", None),
    ],
)
def test_a_picture_is_found_inside_its_folder_when_one_file_alone_is_meant(folder, name, file):
    found = folder.find(name)

    assert (found.read_bytes().decode() if found else None) == file


@settings(deadline=None)
@given(st.text())
def test_no_name_leads_out_of_the_folder(tmp_path_factory, name):
    root = tmp_path_factory.getbasetemp()
    (root / "pics").mkdir(exist_ok=True)
    (root / "pics" / "a.png").write_bytes(b"x")

    found = ImageFolder(root / "pics").find(name)

    assert found is None or Path(found).resolve().is_relative_to(root / "pics")


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("left owl (1).png", "left_owl_1.png"),
        ("сцена №2.png", "сцена_2.png"),
        ("O'Hara, q+.png", "OHara_q.png"),
        ("1a2b3c4d-a_b.png", "a_b.png"),
    ],
)
def test_an_uploads_name_is_as_label_studio_writes_it(name, stored):
    assert to_upload_name(name) == stored


def test_an_address_that_no_parser_reads_is_a_name_too():
    assert get_last_part("http://[") == "["
    assert get_last_part("http://[::1/a.png") == "a.png"
