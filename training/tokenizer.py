"""Make the WordPiece tokenizer of all tiny networks: `python -m training.tokenizer DIR`.

The vocabulary has all words of the drawn scenes, and single letters: an unknown word becomes several pieces.
"""

import argparse
import random
import re
import string
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from ris.tinyworld.descriptions import (
    make_attribute_description,
    make_caption,
    make_surrounding_description,
)
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", "[ATT]", "[SUR]"]
CHARACTERS = [*string.ascii_lowercase, *string.digits, *".,;:!?'\"-()/&"]
EXTRA_WORDS = frozenset(
    """
    a about all an and any are around as at away back behind both brown but by can center centre close
    closest corner dark down each edge end everything facing far farther farthest few floor for
    foreground four from front furthest gray grey ground guy guys half has have he her him his holding
    hand in inside into is it item its kid lady largest left light lower main many me middle most near
    nearest next no none not object of off on one only onto other out outside over part people person
    photo picture row scene seen she shown side single sitting sky smallest someone something standing
    still than that the their them there these they thing things third this those three to top toward
    two under up upper very wearing what where which white who whole with without you
    """.split()  # noqa: SIM905  # prose is easier to read and to add to than a list
)
N_SCENES = 3000


def list_words() -> list[str]:
    """List all words of expressions and captions, and `EXTRA_WORDS`, in alphabetical order."""
    rng = random.Random(0)
    seen = set(EXTRA_WORDS)
    for _ in range(N_SCENES):
        scene = make_scene(rng, split="novel")
        texts = [expression.text for expression in make_expressions(scene, rng)]
        texts.append(make_caption(scene, rng))
        texts += [make_attribute_description(thing, scene) for thing in scene.things]
        texts += [make_surrounding_description(i, scene) for i in range(len(scene.things))]
        seen.update(word for text in texts for word in re.findall(r"[a-z]+", text.lower()))
    return sorted(word for word in seen if len(word) > 1)


def make_tokenizer(vocabulary: list[str]) -> PreTrainedTokenizerFast:
    """Make a tokenizer like BERT's: [CLS] words [SEP], lower case."""
    pieces = [*SPECIAL_TOKENS, *CHARACTERS]
    pieces += [f"##{character}" for character in string.ascii_lowercase + string.digits] + vocabulary
    ids = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        bos_token="[DEC]",
        additional_special_tokens=["[DEC]", "[ENC]", "[ATT]", "[SUR]"],
    )


def main() -> None:
    """Write the tokenizer's files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for tokenizer.json and tokenizer_config.json")
    out = parser.parse_args().out
    tokenizer = make_tokenizer(list_words())
    tokenizer.save_pretrained(out)
    print(f"{len(tokenizer)} pieces in {out}: {tokenizer.tokenize('the dark red mug left of the zebra')}")


if __name__ == "__main__":
    main()
