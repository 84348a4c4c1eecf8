import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from ris.core import rle
from ris.core.proposals import Proposals
from ris.core.types import Image
from ris.errors import SettingsError
from ris.pretrained.catalog.presets import TINY, TINY_FOLDER
from ris.pretrained.clip.vit import ClipEncoder
from ris.pretrained.device import check_device, use_threads
from ris.pretrained.language.parser import SpacyParser
from ris.pretrained.matching.blip import load_blip
from ris.referring.global_local import GlobalLocal
from ris.referring.iterprime import IterPrime
from ris.referring.scene import Scene
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene


def test_the_thread_that_asked_uses_as_many_as_it_asked_for():
    with ThreadPoolExecutor(1) as pool:
        before = pool.submit(torch.get_num_threads).result()
        pool.submit(use_threads, 1).result()

        assert pool.submit(torch.get_num_threads).result() == 1
        pool.submit(use_threads, before).result()


def test_a_device_that_is_not_there_is_one_sentence():
    check_device("cpu")
    with pytest.raises(SettingsError, match=r"RIS_DEVICE is cuda:9, and PyTorch has only .*1 of cpu"):
        check_device("cuda:9")


def test_bf16_changes_features_hardly_and_who_is_first_not_at_all():
    """Of drawn scenes with their true masks, by every method that reads pictures."""
    rng = random.Random(41)
    methods = {
        precision: (
            GlobalLocal(ClipEncoder.load(TINY_FOLDER / "clip", precision=precision), TINY.global_local),
            IterPrime(
                load_blip(TINY_FOLDER / "itm", layer=TINY.itm_layer, precision=precision),
                TINY.iterprime,
            ),
        )
        for precision in ("fp32", "bf16")
    }
    parser = SpacyParser.load(TINY_FOLDER / "parser")
    firsts = {"fp32": [], "bf16": []}
    for _ in range(6):
        drawn = make_scene(rng, split="train")
        said = [parser.parse(e.text) for e in make_expressions(drawn, rng)[:6]]
        image = Image.from_pixels(np.asarray(drawn.image))
        masks = np.stack([drawn.instances == i for i in range(1, int(drawn.instances.max()) + 1)])
        masks = masks[masks.any((1, 2))]
        proposals = Proposals.from_masks(masks, image.size, np.ones(len(masks), np.float32))
        codes = tuple(rle.encode_rle(mask) for mask in masks)
        boxes = tuple(tuple(box) for box in proposals.boxes.tolist())
        for precision, made in methods.items():
            for method in made:
                features = {method.name: method.see(image, proposals)}
                scene = Scene(image.digest, image.size, codes, boxes, proposals.quality, features)
                firsts[precision] += [
                    int(np.argmax(s.scores)) for s in method.score(scene, said) if len(s.scores)
                ]

    agree = np.mean(np.array(firsts["fp32"]) == np.array(firsts["bf16"]))
    assert len(firsts["fp32"]) >= 50
    assert agree >= 0.98  # one in fifty may be a tie
