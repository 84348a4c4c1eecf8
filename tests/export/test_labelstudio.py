import json

import pytest

from ris.core.types import Verdict
from ris.export.labelstudio import write_labelstudio
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from tests.builders.decisions import decision, make_holed_mask

DEFAULT = read_controls(read("tabs_brush.xml"))
BRUSH = '<BrushLabels name="mask" toName="image"><Label value="It"/></BrushLabels>'


@pytest.mark.parametrize(
    ("tags", "data"),
    [
        (
            '<Header value="Find $meta.caption!"/><Image name="image" value="$pages[0]"/>',
            {"meta": {"caption": "the mug"}, "pages": ["/data/upload/1/a.png"]},
        ),
        (
            '<Header value="$phrase"/><Image name="image" value="https://x/$file"/>',
            {"image": "/data/upload/1/a.png", "expression": "the mug"},
        ),
    ],
)
def test_tasks_have_the_data_that_their_label_config_shows(tmp_path, tags, data):
    own = read_controls(f"<View>{tags}{BRUSH}</View>")
    found = decision(Verdict.ACCEPTED, make_holed_mask(), expression="the mug")

    write_labelstudio([found], tmp_path, {"1.1700000000": own}, DEFAULT)

    (task,) = json.loads((tmp_path / "labelstudio.json").read_text())
    assert task["data"] == data
