import numpy as np
import pytest
import torch
from transformers import (
    BlipForConditionalGeneration,
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

from ris.core.types import Image
from ris.errors import WeightsError
from ris.pretrained.language.describer import BlipDescriber, ChatDescriber, shrink_bicubic
from tests.builders.networks import random_blip_config, toy_tokenizer

STATISTICS = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}


def image(size=(30, 40), seed=0):
    return Image.from_pixels(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    made = BlipForConditionalGeneration(random_blip_config()).eval()
    for parameter in made.parameters():
        parameter.data.normal_(0, 0.3)
    return made


@pytest.fixture(scope="module")
def describer(model):
    return BlipDescriber(model, toy_tokenizer(), model_name="toy", max_new_tokens=6, **STATISTICS)


def test_an_answer_is_what_transformers_own_generate_goes_on_with(model, describer):
    looked = describer.look(image())
    pixels = torch.tensor(np.array(looked))

    (answer,) = describer.describe("d", looked, ["the red mug :"])

    ids = toy_tokenizer()("the red mug :", add_special_tokens=False)["input_ids"]
    row = [4, *ids]
    for _ in range(6):  # greedy, by hand, the whole network each time
        with torch.no_grad():
            logits = model.text_decoder(
                input_ids=torch.tensor([row]), encoder_hidden_states=pixels[None],
                encoder_attention_mask=torch.ones(1, len(pixels), dtype=torch.long),
            ).logits  # fmt: skip
        row.append(int(logits[0, -1].argmax()))
        if row[-1] == 3:
            break
    assert answer == toy_tokenizer().decode(row[1 + len(ids) :], skip_special_tokens=True).strip()


def test_prompts_of_different_lengths_are_answered_as_alone_and_in_order(describer):
    looked = describer.look(image())
    prompts = ["dog :", "the red mug :", "mug :", "the small dog left of the mug :"]

    together = describer.describe("d", looked, prompts)

    assert together == [describer.describe("d", looked, [p])[0] for p in prompts]


def test_a_prompt_of_two_thousand_words_is_answered(describer):
    looked = describer.look(image())

    assert len(describer.describe("d", looked, ["red mug " * 1000])) == 1


def test_nothing_asked_nothing_said(describer):
    assert describer.describe("d", describer.look(image()), []) == []


def test_a_missing_weight_is_told_and_never_random(tmp_path, model):
    state = {k: v for k, v in model.state_dict().items() if "layer.1.crossattention" not in k}
    model.save_pretrained(tmp_path, state_dict=state)
    toy_tokenizer().save_pretrained(tmp_path)

    with pytest.raises(WeightsError, match=r"lacks \d+ weights, such as text_decoder.*crossattention"):
        BlipDescriber.load(tmp_path, **STATISTICS)


def test_a_missing_or_a_broken_file_is_told(tmp_path, model):
    with pytest.raises(WeightsError, match=r"lacks .*config.json"):
        BlipDescriber.load(tmp_path, **STATISTICS)
    model.save_pretrained(tmp_path)
    toy_tokenizer().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")

    with pytest.raises(WeightsError, match="is damaged"):
        BlipDescriber.load(tmp_path, **STATISTICS)


def test_large_pictures_are_shrunk_and_small_ones_stay():
    large, small = np.zeros((3000, 4000, 3), np.uint8), np.zeros((30, 40, 3), np.uint8)

    assert shrink_bicubic(large, 672).shape == (504, 672, 3)
    assert shrink_bicubic(small, 672) is small
    assert shrink_bicubic(np.zeros((1, 4000, 3), np.uint8), 100).shape == (1, 100, 3)


def test_a_chat_network_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WeightsError, match="cannot be loaded: .*; download it first"):
        ChatDescriber.load(str(tmp_path / "llava"))


TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }} {% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}: {% endif %}"
)


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    """A LLaVA of random weights, as small as its classes allow, saved as a published one is."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("llava")
    tokenizer = toy_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    token = tokenizer.convert_tokens_to_ids("<image>")
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
            image_size=16, patch_size=8, projection_dim=8,
        ),
        text_config=LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, num_key_value_heads=2, bos_token_id=4, eos_token_id=3, pad_token_id=0,
        ),
        image_token_index=token,
        image_seq_length=4,
    )  # fmt: skip
    LlavaForConditionalGeneration(config).eval().save_pretrained(folder)
    LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}), tokenizer,
        patch_size=8, vision_feature_select_strategy="default", chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def test_any_image_text_to_text_network_of_transformers_answers_by_its_chat_template(llava):
    describer = ChatDescriber.load(str(llava))
    describer.max_new_tokens = 5
    looked = describer.look(image((900, 1200)))

    answers = describer.describe("d", looked, ["the red mug", "dog"])

    assert looked.shape == (504, 672, 3)
    assert answers == [describer.describe("d", looked, [p])[0] for p in ("the red mug", "dog")]
    assert all("mug :" not in answer for answer in answers)  # the question is not part of the answer
    assert describer.model == f"{llava}@main"
