"""Describers that run here: BLIP, and any image-text-to-text network of transformers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    BlipForConditionalGeneration,
)

from ris.core.types import Image
from ris.errors import WeightsError
from ris.pretrained.hf_loading import load_complete_network
from ris.referring.crops import Colour, squash_image

_BATCH_SIZE = 32


class BlipDescriber:
    """A `BlipForConditionalGeneration` as `referring.protocols.Describer`; it continues a prompt.

    The image encoder runs once per image. Prompts of equal length share a batch: BLIP counts positions from
    the left, so prompts cannot be padded there.

    Args:
        model: the network.
        tokenizer: its tokenizer.
        model_name: key of the cached describer answers.
        mean, std: normalisation of the image's colours, RGB in [0, 1].
        max_new_tokens: longest answer, in tokens.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        model_name: str,
        mean: Colour,
        std: Colour,
        max_new_tokens: int = 24,
    ) -> None:
        self.network, self.tokenizer = model.eval(), tokenizer
        self.model = model_name
        self.mean, self.std, self.max_new_tokens = mean, std, max_new_tokens

    @classmethod
    def load(cls, folder: Path, *, mean: Colour, std: Colour, device: str = "cpu") -> "BlipDescriber":
        """Load a transformers model folder: config, safetensors weights and tokenizer.

        Raises:
            WeightsError: a file is missing, cannot be read, or lacks weights of the network.
        """
        model = load_complete_network(BlipForConditionalGeneration, folder).to(device)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        return cls(model, tokenizer, model_name=f"{folder.parent.name}/{folder.name}", mean=mean, std=std)

    @torch.inference_mode()
    def look(self, image: Image) -> NDArray[np.float32]:
        """Encode an image as the image encoder's states, float32 [1 + P, W]."""
        side = self.network.config.vision_config.image_size
        picture = squash_image(image.pixels, side, mean=self.mean, std=self.std)
        pixels = torch.as_tensor(picture, device=self.network.device)[None]
        states = self.network.vision_model(pixel_values=pixels).last_hidden_state[0]
        return np.asarray(states.float().cpu().numpy(), np.float32)

    @torch.inference_mode()
    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """Continue each prompt greedily; of a prompt that is too long the end is kept."""
        text = self.network.config.text_config
        max_prompt_tokens = text.max_position_embeddings - self.max_new_tokens
        if not prompts:
            return []
        coded = self.tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
        rows = [[text.bos_token_id, *ids[-max_prompt_tokens + 1 :]] for ids in coded]
        answers = [""] * len(rows)
        for length in sorted({len(row) for row in rows}):
            indices = [i for i, row in enumerate(rows) if len(row) == length]
            for start in range(0, len(indices), _BATCH_SIZE):
                batch = indices[start : start + _BATCH_SIZE]
                generated = self._generate(torch.tensor([rows[i] for i in batch]), looked)
                for i, ids in zip(batch, generated, strict=True):
                    answers[i] = self.tokenizer.decode(ids[length:], skip_special_tokens=True).strip()
        return answers

    def _generate(self, ids: torch.Tensor, looked: NDArray) -> torch.Tensor:
        device, text = self.network.device, self.network.config.text_config
        states = torch.as_tensor(looked, device=device, dtype=self.network.dtype).expand(len(ids), -1, -1)
        generated: torch.Tensor = self.network.text_decoder.generate(
            input_ids=ids.to(device),
            attention_mask=torch.ones_like(ids).to(device),
            encoder_hidden_states=states,
            encoder_attention_mask=torch.ones(states.shape[:2], dtype=torch.long, device=device),
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            num_beams=1,
            eos_token_id=text.eos_token_id,
            pad_token_id=text.pad_token_id,
        )
        return generated


class ChatDescriber:
    """Any image-text-to-text network of transformers with a chat template, such as LLaVA and Qwen-VL.

    Args:
        model: a network of `AutoModelForImageTextToText`.
        processor: its processor.
        model_name: key of the cached describer answers.
        longest_side: larger images are shrunk to this longest side, in pixels.
        max_new_tokens: longest answer, in tokens.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        *,
        model_name: str,
        longest_side: int = 672,
        max_new_tokens: int = 96,
    ) -> None:
        self.network, self.processor, self.model = model.eval(), processor, model_name
        self.longest_side, self.max_new_tokens = longest_side, max_new_tokens

    @classmethod
    def load(cls, name: str, *, revision: str | None = None, device: str = "cpu") -> "ChatDescriber":
        """Load a network by its folder, or by its name in the cache of the Hub's library; downloads nothing.

        Raises:
            WeightsError: the network is not there or cannot be read.
        """
        try:
            processor: Any = AutoProcessor.from_pretrained(  # type: ignore[no-untyped-call]
                name, revision=revision, local_files_only=True
            )
            model: Any = AutoModelForImageTextToText.from_pretrained(
                name, revision=revision, local_files_only=True, dtype="auto", use_safetensors=True
            )
        except Exception as error:  # transformers, safetensors and the hub have errors of their own
            reason = " ".join(str(error).split())[:200]
            raise WeightsError(
                f"the describer {name} cannot be loaded: {reason}; download it first, this command does not"
            ) from error
        return cls(model.to(device), processor, model_name=f"{name}@{revision or 'main'}")

    def look(self, image: Image) -> NDArray[np.uint8]:
        """Shrink an image for the scene: uint8 [h, w, 3], RGB."""
        return shrink_bicubic(image.pixels, self.longest_side)

    @torch.inference_mode()
    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """Answer each prompt greedily, in its own conversation."""
        picture = Pillow.fromarray(np.asarray(looked, np.uint8))
        return [self._answer(picture, prompt) for prompt in prompts]

    def _answer(self, picture: Pillow.Image, prompt: str) -> str:
        content = [{"type": "image", "image": picture}, {"type": "text", "text": prompt}]
        inputs = self.processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(self.network.device)
        generated = self.network.generate(**inputs, max_new_tokens=self.max_new_tokens, do_sample=False)
        answer = generated[0, inputs["input_ids"].shape[1] :]
        return str(self.processor.decode(answer, skip_special_tokens=True)).strip()


def shrink_bicubic(pixels: NDArray[np.uint8], longest_side: int) -> NDArray[np.uint8]:
    """Shrink uint8 [H, W, 3] to a longest side of at most `longest_side` pixels, bicubic."""
    height, width = pixels.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Pillow.fromarray(pixels).resize(size, Pillow.Resampling.BICUBIC))
