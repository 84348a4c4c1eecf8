import pytest
from label_studio_sdk.label_interface import LabelInterface

from ris.errors import LabelConfigError
from ris.label_config import read
from ris.labelstudio.config.control import Choice, Pick, read_controls

IMAGE = '<Image name="pic" value="$photo"/>'
WORDS = '<Text name="say" value="$phrase"/>'
BRUSH = '<BrushLabels name="paint" toName="pic"><Label value="It"/></BrushLabels>'
POLYGON = '<PolygonLabels name="line" toName="pic"><Label value="Area"/></PolygonLabels>'


def view(*tags):
    return f"<View>{''.join(tags)}</View>"


def test_tags_are_found_whatever_their_names():
    controls = read_controls(view(WORDS, IMAGE, BRUSH))

    assert (controls.image_key, controls.expression_key) == ("photo", "phrase")
    assert (controls.from_name, controls.to_name, controls.label) == ("paint", "pic", "It")
    assert (controls.region_type, controls.no_referent) == ("brushlabels", None)


def test_a_header_shows_the_expression_as_well_as_a_text():
    assert read_controls(view('<Header value="$words"/>', IMAGE, BRUSH)).expression_key == "words"


def test_of_several_texts_the_one_called_expression_is_meant():
    config = view('<Text name="a" value="$note"/>', '<Text name="b" value="$expression"/>', IMAGE, BRUSH)

    assert read_controls(config).expression_key == "expression"


def test_a_choice_that_says_no_referent_is_found():
    choices = '<Choices name="c" toName="pic"><Choice value="fine"/><Choice value="No such thing"/></Choices>'

    assert read_controls(view(WORDS, IMAGE, BRUSH, choices)).no_referent == Choice(
        "c", "pic", "No such thing"
    )


@pytest.mark.parametrize("name", ["tabs_brush.xml", "tabs_polygon.xml"])
def test_the_shipped_label_configs_work(name):
    controls = read_controls(read(name))

    assert (controls.image_key, controls.expression_key, controls.label) == (
        "image",
        "expression",
        "Referent",
    )
    assert controls.no_referent == Choice("referent", "image", "object not in image")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (view(WORDS, BRUSH), 'has no <Image name="image" value="\\$image"/>'),
        (view(IMAGE, BRUSH), "shows no expression: add <Text"),
        (
            view(WORDS, IMAGE, IMAGE.replace("pic", "two"), BRUSH, POLYGON.replace("pic", "two")),
            r"has 2 images \('pic', 'two'\), one was expected for the masks",
        ),
        (
            view(WORDS, '<Image name="pic" valueList="$photos"/>', BRUSH),
            "'pic' has valueList, several pictures for one task, .*: show one picture per task",
        ),
        (
            view(WORDS, '<Image name="pic" value="$pages[{{idx}}].page"/>', BRUSH),
            r'value="\$pages\[{{idx}}\]\.page", and no data can have "pages\[{{idx}}\]\.page": name a key',
        ),
        (view(WORDS, '<Image name="pic" value="$фото"/>', BRUSH), "name a key of the task"),
        (
            view('<Repeater on="$pages">', WORDS, IMAGE, BRUSH, "</Repeater>"),
            "has a <Repeater>, .*not supported: show one image a task",
        ),
    ],
)
def test_a_config_that_cannot_work_is_refused_with_what_to_add(config, message):
    with pytest.raises(LabelConfigError, match=message):
        read_controls(config)


@pytest.mark.parametrize("name", ["pick_brush.xml", "pick_polygon.xml"])
def test_a_choice_that_shares_the_labels_is_the_presentation_pick(name):
    controls = read_controls(read(name))

    ranks = ("1st", "2nd", "3rd")
    assert controls.pick == Pick("pick", ranks, "drawn by me", ranks)
    assert controls.no_referent.value == "object not in image"
    assert controls.label == "1st"


@pytest.mark.parametrize("name", ["pick_brush_smart.xml", "type_brush.xml"])
@pytest.mark.parametrize("label", ["drawn by me", "mine"])
def test_the_label_of_clicks_and_boxes_is_no_rank_by_its_new_and_its_old_name(name, label):
    config = read(name).replace('<Label value="drawn by me"', f'<Label value="{label}"')

    controls = read_controls(config)

    ranks = ("1st", "2nd", "3rd")
    assert controls.pick == Pick("pick", ranks, "drawn by me", ranks)
    assert [term.value for term in controls.labels] == [*ranks, label]


@pytest.mark.parametrize("name", ["tabs_brush.xml", "tabs_polygon.xml"])
def test_without_such_a_choice_it_is_tabs(name):
    assert read_controls(read(name)).pick is None


def test_ranks_may_have_any_names():
    config = read("pick_brush.xml").replace("1st", "A").replace("2nd", "B").replace("drawn by me", "own")

    assert read_controls(config).pick == Pick("pick", ("A", "B", "3rd"), "own", ("A", "B", "3rd"))


@pytest.mark.parametrize(
    "layout",
    ["pick_brush", "pick_brush_smart", "pick_bitmask", "pick_polygon", "pick_rectangle", "tabs_brush",
     "tabs_polygon", "type_brush"],
)  # fmt: skip
def test_what_is_found_is_what_the_sdk_finds(layout):
    """LabelInterface is the oracle, except for the key of the expression: it does not know <Header>."""
    found = read_controls(read(f"{layout}.xml"))
    theirs = LabelInterface(read(f"{layout}.xml"))
    control = theirs.get_control(found.from_name)

    assert control.tag.lower() == found.region_type
    assert control.to_name == [found.to_name]
    assert tuple(control.labels) == tuple(label.value for label in found.labels)
    assert theirs.get_object(found.to_name).value_name == found.image_key
    for choice in (found.no_referent, found.keep_choice):
        assert choice is None or choice.value in theirs.get_control(choice.from_name).labels
    if found.pick:
        assert set(found.pick.rank_labels) <= set(theirs.get_control(found.pick.from_name).labels)
    if found.expression_area:
        assert theirs.get_control(found.expression_area).tag == "TextArea"
