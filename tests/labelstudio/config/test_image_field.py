import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.errors import LabelConfigError
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.config.image_field import ImageField
from ris.labelstudio.task import read_task

BRUSH = '<BrushLabels name="mask" toName="image"><Label value="It"/></BrushLabels>'


def view(*tags):
    return f"<View>{''.join(tags)}</View>"


@pytest.mark.parametrize(
    ("written", "data", "reference"),
    [
        ("$image", {"image": "/data/upload/1/a.png"}, "/data/upload/1/a.png"),
        ("$pages[0]", {"pages": ["a", "b"]}, "a"),
        ("$pages[1]", {"pages": ["a", "b"]}, "b"),
        ("$pages", {"pages": ["a"]}, "a"),
        ("$pages", {"pages": ["a", "b"]}, None),
        ("$doc.page", {"doc": {"page": "a"}}, "a"),
        ("$image", {"image": 7}, None),
        ("$image", {"image": " "}, None),
        ("$image", {}, None),
        ("https://x/$dir/$n", {"dir": "a", "n": 7}, "https://x/a/7"),
        ("https://x/$dir/$n", {"dir": "a"}, None),
        ("https://x/a.png", {}, "https://x/a.png"),
    ],
)
def test_the_reference_is_what_the_tag_shows(written, data, reference):
    assert ImageField(written).read(data) == reference


def test_what_is_missing_is_named():
    assert ImageField("https://x/$dir/$n").find_missing({"dir": "a"}) == "n"
    assert ImageField("$pages").find_missing({"pages": ["a", "b"]}) == "pages"


def test_a_reference_that_the_tag_cannot_show_is_refused():
    data = {}
    ImageField("https://x/$file").write(data, "https://x/a.png")
    assert data == {"file": "a.png"}
    for written in ("https://x/$file", "$a/$b", "https://x/a.png"):
        with pytest.raises(LabelConfigError, match='which cannot become .*make it <Image name="image"'):
            ImageField(written).write({}, "https://y/a.png")


def test_the_image_is_the_one_that_masks_are_drawn_on():
    beside = '<Image name="ref" value="$reference"/><Image name="more" valueList="$others"/>'
    config = view('<Header value="$expression"/>', beside, '<Image name="image" value="$image"/>', BRUSH)

    controls = read_controls(config)

    assert (controls.to_name, controls.image_key) == ("image", "image")


NAMED = ("a", "phrase", "meta.caption", "pages[0]", "pages[1]", "d[0].x", "d.0.y", "doc[words]", "a.b")
PATHS = st.sampled_from([*NAMED, "image_id", "{b}", "a..b", "b[]", "[0]", "p.q.r"])
TEXTS = st.sampled_from(["Text", "Header", "HyperText", "Markdown", "Paragraphs", "TextArea"])
SENTENCES = st.sampled_from(["${}", "Segment: ${}", "${}.", "find ${}!", "$a and ${}", "<b/>${}"])
IMAGES = st.sampled_from(["${}", "https://x/${}", "/data/local-files/?d=${}/b.png", "https://x/a.png"])
ATTRIBUTES = st.sampled_from(
    ["", 'valueType="text"', 'valueType="url"', 'encoding="base64unicode"', 'textKey="x"']
)
REFERENCES = {"https://x/a.png": "https://x/a.png", "https://x/${}": "https://x/b.png"}


@settings(max_examples=500, deadline=None)
@given(TEXTS, SENTENCES, PATHS, ATTRIBUTES, IMAGES, PATHS, st.sampled_from(["the owl", "a < b & c", "7"]))
def test_what_setup_accepts_is_answerable_for_a_task_that_has_these_keys(
    tag, sentence, path, attributes, image, image_path, words
):
    shown = sentence.format(path).replace("<", "&lt;")
    config = view(
        f'<{tag} name="t" toName="image" value="{shown}" {attributes}/>',
        f'<Image name="image" value="{image.format(image_path)}"/>', BRUSH,
    )  # fmt: skip
    try:
        controls = read_controls(config)
    except LabelConfigError as error:
        assert "<" in str(error)  # says what to write
        return
    reference = REFERENCES.get(image, image.format("x").replace("$", ""))

    task = read_task({"id": 1, "data": controls.to_data(reference, words)}, "1.2", controls)

    assert (task.image_url, task.expression) == (reference, words)
