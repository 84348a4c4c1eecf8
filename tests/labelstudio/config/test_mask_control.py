"""Which tag masks are drawn with."""

import pytest

from ris.errors import LabelConfigError
from ris.labelstudio.config.control import read_controls

IMAGE = '<Image name="pic" value="$photo"/>'
WORDS = '<Text name="say" value="$phrase"/>'
BRUSH = '<BrushLabels name="paint" toName="pic"><Label value="It"/></BrushLabels>'
POLYGON = '<PolygonLabels name="line" toName="pic"><Label value="Area"/></PolygonLabels>'


def view(*tags):
    return f"<View>{''.join(tags)}</View>"


def test_a_brush_is_preferred_to_a_polygon():
    assert read_controls(view(WORDS, IMAGE, POLYGON, BRUSH)).region_type == "brushlabels"
    assert read_controls(view(WORDS, IMAGE, POLYGON)).region_type == "polygonlabels"


def test_a_tool_that_only_points_is_no_mask_control():
    pointing = BRUSH.replace("<BrushLabels ", '<BrushLabels smartOnly="true" ')

    assert read_controls(view(WORDS, IMAGE, pointing, POLYGON)).region_type == "polygonlabels"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (view(WORDS, IMAGE), "no <BrushLabels> or <PolygonLabels> for image 'pic'; found no control"),
        (
            view(WORDS, IMAGE, '<EllipseLabels name="box" toName="pic"><Label value="a"/></EllipseLabels>'),
            'found EllipseLabels "box"; see label_config/tabs_brush.xml',
        ),
        (
            view(WORDS, IMAGE, BRUSH, BRUSH.replace("paint", "other")),
            "2 <BrushLabels> .* \\('paint', 'other'\\)",
        ),
        (
            view(WORDS, IMAGE, '<BrushLabels name="m" toName="pic" value="$labels"/>'),
            "needs a label of its own",
        ),
    ],
)
def test_a_config_without_one_clear_place_for_a_mask_is_refused(config, message):
    with pytest.raises(LabelConfigError, match=message):
        read_controls(config)
