"""Parse a label config as XML, without resolving entities."""

from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ris.errors import LabelConfigError

EXAMPLE_CONFIG_HINT = "see label_config/tabs_brush.xml"
_MAX_CONFIG_CHARACTERS = 500_000


def parse_config(label_config: str) -> Element:
    """Parse a label config; return its root tag.

    Raises:
        LabelConfigError: it is empty, too long, no XML, or holds entities.
    """
    if not isinstance(label_config, str) or not label_config.strip():
        raise LabelConfigError(f"the project has no label config; {EXAMPLE_CONFIG_HINT}")
    if len(label_config) > _MAX_CONFIG_CHARACTERS:
        raise LabelConfigError(
            f"the label config has {len(label_config)} characters, {_MAX_CONFIG_CHARACTERS} are the limit"
        )
    try:
        root: Element = fromstring(label_config)
    except ParseError as error:
        raise LabelConfigError(f"the label config is not XML: {error}; {EXAMPLE_CONFIG_HINT}") from error
    except (DefusedXmlException, ValueError) as error:
        raise LabelConfigError(
            f"the label config is refused: {type(error).__name__}; {EXAMPLE_CONFIG_HINT}"
        ) from error
    return root
