import pytest

from ris.referring.description import clean_description


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("A photo of a man (white shirt)", "A photo of a man (white shirt)"),
        ('"A photo of a red mug."', "A photo of a red mug."),
        ("**Caption:** a *red* mug", "a red mug"),
        ("Caption: a red mug\n\nI hope this helps!", "a red mug"),
        ("<p>a red <b>mug</b></p>", "a red mug"),
        ("[a red mug](http://x/y)", "a red mug"),
        ("  a\tred   mug ", "a red mug"),
        ("un café crème", "un café crème"),
        ("красная кружка", ""),
        ("12345", ""),
    ],
)
def test_descriptions_are_cleaned_to_one_line_of_words(said, kept):
    assert clean_description(said) == kept
