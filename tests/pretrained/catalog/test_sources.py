import re
from pathlib import Path

import open_clip
import pytest
import torch
from segment_anything import sam_model_registry
from transformers import BlipConfig, BlipForImageTextRetrieval

from ris.pretrained.catalog import sources
from ris.pretrained.catalog.sources import HubFiles, Source, WebFile

PUBLISHED = [one for one in vars(sources).values() if isinstance(one, Source)]


@pytest.mark.parametrize("source", PUBLISHED, ids=lambda s: s.name)
def test_every_published_network_is_pinned_and_says_what_it_is(source):
    assert source.licence and source.training_data and source.parameters_m > 0
    for part in source.parts:
        if isinstance(part, HubFiles):
            assert re.fullmatch("[0-9a-f]{40}", part.revision)
            assert part.files or part.weights
        else:
            assert part.url.startswith("https://") and part.n_bytes > 1e6
        assert part.sha256 is None or re.fullmatch("[0-9a-f]{64}", part.sha256)


def test_no_two_networks_share_a_folder():
    assert len({source.name for source in PUBLISHED}) == len(PUBLISHED)


def test_no_weights_are_pickles_where_the_publisher_has_safetensors():
    for source in PUBLISHED:
        for part in source.parts:
            if isinstance(part, HubFiles) and part.weights:
                assert part.weights[0].endswith(".safetensors")


def test_a_network_lies_among_the_fetched_ones_or_in_a_folder_of_its_own():
    fetched, own = Source("a", "clip"), Source("b", "clip", folder=Path("/data/b"))

    assert fetched.get_folder(Path("/models")) == Path("/models/a")
    assert own.get_folder(Path("/models")) == Path("/data/b")


def test_a_file_of_the_web_is_called_as_its_address_ends():
    assert WebFile("https://example.org/a/b/sam.pth", None, 1).name == "sam.pth"


def parameters_m(network):
    return sum(one.numel() for one in network.parameters()) / 1e6


def test_the_sizes_are_those_of_the_networks():
    """Counted on networks without memory; Mask2Former, ALBEF and the chat networks are as published."""
    with torch.device("meta"):
        for source, name in (
            (sources.CLIP_B32, "ViT-B-32"),
            (sources.CLIP_L14, "ViT-L-14"),
            (sources.CLIP_RN50, "RN50"),
        ):
            assert source.parameters_m == pytest.approx(
                parameters_m(open_clip.create_model(name, device="meta")), abs=0.1
            )
        for source, name in ((sources.SAM_B, "vit_b"), (sources.SAM_H, "vit_h")):
            assert source.parameters_m == pytest.approx(parameters_m(sam_model_registry[name]()), abs=0.1)
        itm = BlipForImageTextRetrieval(BlipConfig())
        assert sources.BLIP_ITM.parameters_m == pytest.approx(parameters_m(itm), abs=1)
