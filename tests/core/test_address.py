import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ris.core.address import to_address, to_addresses

UPLOAD = "/data/upload/9/a b.png"


@pytest.mark.parametrize(
    "reference",
    [
        "/data/upload/9/a b.png",
        "upload/9/a b.png",
        " /data/upload/9/a%20b.png ",
        "/data/upload/8/../9/a b.png",
        "/label-studio/data/upload/9/a b.png",
    ],
)
def test_a_path_of_label_studio_has_one_address_however_it_is_written(reference):
    assert to_address(reference, "9.1") == UPLOAD
    assert to_address(reference, "10.1") == UPLOAD


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (
            "https://b.s3.amazonaws.com/a.png?X-Amz-Signature=1&X-Amz-Date=2&versionId=7",
            "https://B.s3.amazonaws.com/a.png?versionId=7&X-Amz-Date=3&X-Amz-Signature=4#x",
        ),
        (
            "https://b.s3.amazonaws.com/a.png?AWSAccessKeyId=K&Signature=s&Expires=1",
            "https://b.s3.amazonaws.com/a.png",
        ),
        (
            "https://x.blob.core.windows.net/a.png?sv=1&se=2&sr=b&sp=r&sig=3",
            "https://x.blob.core.windows.net/a.png",
        ),
    ],
)
def test_what_signs_a_web_address_is_no_part_of_it(one, two):
    assert to_address(one, "9.1") == to_address(two, "10.1")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("/data/local-files/?d=shop/1.png", "/data/local-files/?d=shop/2.png"),
        ("https://x.org/image?id=1", "https://x.org/image?id=2"),
        ("https://x.org/image?expires=1", "https://x.org/image?expires=2"),
        ("https://x.org/a.png", "https://y.org/a.png"),
        ("s3://one/a.png", "s3://two/a.png"),
        ("/data/upload/9/a.png", "/data/upload/9/A.png"),
        ("data:image/png;base64,AA==", "data:image/png;base64,AQ=="),
    ],
)
def test_what_may_be_another_picture_has_another_address(one, two):
    assert to_address(one, "9.1") != to_address(two, "9.1")


def test_a_local_path_means_something_in_its_own_project_alone():
    assert to_address("images/1.png", "file.ab") != to_address("images/1.png", "file.cd")
    assert to_address("upload/1/1.png", "file.ab") != to_address("upload/1/1.png", "9.1")
    assert to_address("/data/upload/1/1.png", "file.ab") == to_address("upload/1/1.png", "9.1")
    assert to_address("s3://shop/1.png", "9.1") == to_address("s3://shop/1.png", "10.1")


def test_label_studios_own_address_before_its_path_is_no_other_place():
    homes = ("http://localhost:8080/label-studio", "https://studio.example.org")

    absolute = to_addresses("https://studio.example.org/data/upload/9/a b.png", "9.1", homes)
    below = to_addresses("http://localhost:8080/label-studio/data/upload/9/a b.png", "9.1", homes)
    relative = to_addresses("upload/9/a b.png", "9.1", homes)

    assert UPLOAD in absolute
    assert UPLOAD in below
    assert relative[0] == UPLOAD
    assert "https://studio.example.org/data/upload/9/a b.png" in relative
    assert to_addresses("https://evil.example.org/data/upload/9/a b.png", "9.1", homes) == (
        "https://evil.example.org/data/upload/9/a b.png",
    )


@given(st.text(), st.text(max_size=9))
@example("http://[", "9.1")
@example("http://h:99999/a.png", "9.1")
@example("http://h/a.png?name=\ud800&sig=1", "9.1")
def test_any_reference_has_an_address(reference, project):
    assert to_addresses(reference, project, ("http://h:1",))[0] == to_address(reference, project)
