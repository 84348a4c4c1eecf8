from xml.etree.ElementTree import fromstring

import pytest

from ris.errors import LabelConfigError
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.config.tags import normalise_tags


def value(tag):
    return normalise_tags(fromstring(f"<View>{tag}</View>"))[0].get("value")


@pytest.mark.parametrize(
    ("tag", "read"),
    [
        ("<Header>Segment: $phrase</Header>", "Segment: $phrase"),
        ('<Header value="$other">\n  $phrase\n</Header>', "$phrase"),
        ('<Header value="$phrase"> </Header>', "$phrase"),
        ("<HyperText name='h'>see <b>$phrase</b>!</HyperText>", "see <b>$phrase</b>!"),
        ("<Choice>no such thing</Choice>", "no such thing"),
        ("<Header>a &amp; b</Header>", "a &amp; b"),
        ('<Choices value="x"><Choice value="y"/></Choices>', "x"),
    ],
)
def test_what_stands_inside_of_a_tag_is_its_value(tag, read):
    assert value(tag) == read


def test_names_of_tags_and_attributes_count_in_any_case():
    controls = read_controls(
        '<view><HEADER VALUE="$phrase"/><image NAME="pic" Value="$photo"/>'
        '<brushlabels name="m" TONAME="pic"><label value="It"/></brushlabels></view>'
    )

    assert (controls.image_key, controls.expression_key, controls.label) == ("photo", "phrase", "It")


@pytest.mark.parametrize("name", ["Repeater", "repeater"])
def test_a_repeater_is_refused_wherever_it_stands(name):
    with pytest.raises(LabelConfigError, match="<Repeater>, which makes other tags for every task"):
        normalise_tags(fromstring(f'<View><View><{name} on="$pages"/></View></View>'))
