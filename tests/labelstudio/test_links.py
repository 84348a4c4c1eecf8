import pytest

from ris.core.types import Task
from ris.labelstudio.links import make_task_address


@pytest.mark.parametrize(
    ("url", "project", "expected"),
    [
        ("https://a.example/sub/", "3.17", "https://a.example/sub/projects/3/data?task=7"),
        ("http://localhost:8080", "12.17", "http://localhost:8080/projects/12/data?task=7"),
        ("http://localhost:8080", "file.abc", ""),
        ("", "3.17", ""),
    ],
)
def test_a_task_has_an_address_where_it_is_in_label_studio(url, project, expected):
    assert make_task_address(url, Task(7, project, "a.png", "the mug")) == expected
