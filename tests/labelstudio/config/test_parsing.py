"""XML of label configs: what is refused before a tag is read."""

import pytest

from ris.errors import LabelConfigError
from ris.labelstudio.config.parsing import parse_config


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", "the project has no label config"),
        ("<View>", "is not XML"),
        (None, "the project has no label config"),
        ('<!DOCTYPE a [<!ENTITY b "boom">]><View>&b;</View>', "is refused"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><View>&b;</View>', "is refused"),
        ("<View>" + "x" * 600_000, "600006 characters"),
    ],
)
def test_what_is_no_safe_xml_is_refused(config, message):
    with pytest.raises(LabelConfigError, match=message):
        parse_config(config)


def test_a_label_config_is_its_tags():
    assert [tag.tag for tag in parse_config("<View><Image/></View>").iter()] == ["View", "Image"]
