"""Any reference is an image path under the configured address, a URL of an allowed host, or refused."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.errors import LabelStudioError
from ris.labelstudio.api.addresses import IMAGE_PATHS, ImageAddresses

PLAIN = ImageAddresses("http://ls:8080")
UNDER = ImageAddresses(
    "http://ls:8080/studio", "https://labels.example.com/label-studio", ("cdn.example.com",)
)


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("upload/1/a.png", "http://ls:8080/studio/data/upload/1/a.png"),
        ("/data/upload/1/a b.png", "http://ls:8080/studio/data/upload/1/a%20b.png"),
        ("/studio/data/upload/1/a.png", "http://ls:8080/studio/data/upload/1/a.png"),
        ("/label-studio/data/upload/1/a.png", "http://ls:8080/studio/data/upload/1/a.png"),
        ("http://ls:8080/studio/data/upload/1/a.png", "http://ls:8080/studio/data/upload/1/a.png"),
        ("https://labels.example.com/label-studio/data/upload/1/a.png",
         "http://ls:8080/studio/data/upload/1/a.png"),
        ("https://labels.example.com:443/data/local-files/?d=a/b.png",
         "http://ls:8080/studio/data/local-files/?d=a/b.png"),
        ("/projects/3/resolve/?fileuri=czM6", "http://ls:8080/studio/projects/3/resolve/?fileuri=czM6"),
        ("/api/tasks/3/presign/?fileuri=czM6", "http://ls:8080/studio/api/tasks/3/presign/?fileuri=czM6"),
        ("gs://b/a.png", "http://ls:8080/studio/tasks/7/presign/?fileuri=Z3M6Ly9iL2EucG5n"),
        ("https://cdn.example.com/x/../a.png", "https://cdn.example.com/x/../a.png"),
    ],
)  # fmt: skip
def test_a_reference_stands_for_one_address(reference, address):
    assert UNDER.locate(reference, 7) == address


def test_an_absolute_address_of_our_own_must_say_its_sub_path():
    with pytest.raises(LabelStudioError, match="cannot read .*: give a URL"):
        UNDER.locate("http://ls:8080/data/upload/1/a.png", 7)
    assert PLAIN.locate("http://ls:8080/data/upload/1/a.png", 7) == "http://ls:8080/data/upload/1/a.png"


STEPS = ("/", "//", "..", ".", "%2e%2e", "%2f", "%252e", "\\", " ", "\n", "?", "#", "@", ":", "[")
NAMES = ("data", "upload", "api", "studio", "label-studio", "tasks", "1", "resolve", "projects", "a.png")
HOSTS = ("http:", "https:", "ls:8080", "evil.example", "labels.example.com", "cdn.example.com")
PIECES = st.sampled_from([*STEPS, *NAMES, *HOSTS, "storage-data", "local-files"])


@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from([PLAIN, UNDER]))
def test_nothing_but_image_paths_and_allowed_hosts_is_ever_asked(reference, addresses):
    try:
        address = addresses.locate(reference, 7)
    except LabelStudioError:
        return
    if addresses.is_own(address):
        base, path = urlsplit(addresses.url).path, urlsplit(address).path
        assert path.startswith(base)
        assert IMAGE_PATHS.match(path[len(base) :])
        assert ".." not in path.split("/")
        assert not any(piece in path for piece in ("%2e", "\\", "//"))
    else:
        assert urlsplit(address).hostname in addresses.image_hosts


@pytest.mark.parametrize("url", ["http://[", "http://ls:99999", "http://\ud800"])
def test_an_address_of_label_studio_that_is_none_is_one_sentence(url):
    for addresses in (ImageAddresses(url), ImageAddresses("http://ls:8080", url)):
        with pytest.raises(LabelStudioError, match="its address"):
            addresses.locate("/data/upload/1/a.png", 7)
