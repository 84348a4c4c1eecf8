"""A SAM for tests: small, with padded windows, relative positions and biases, as the large one has."""

from functools import partial

import torch
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

SIDE, GRID, WIDTH = 80, 10, 32


def random_sam(seed: int = 0) -> Sam:
    """Build a SAM of 80 px in patches of 8, windows of 4, three blocks, the second with global attention."""
    torch.manual_seed(seed)
    model = Sam(
        image_encoder=ImageEncoderViT(
            img_size=SIDE, patch_size=8, embed_dim=24, depth=3, num_heads=3, out_chans=WIDTH, qkv_bias=True,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), use_rel_pos=True, window_size=4,
            global_attn_indexes=(1,),
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=WIDTH, image_embedding_size=(GRID, GRID), input_image_size=(SIDE, SIDE), mask_in_chans=8
        ),
        mask_decoder=MaskDecoder(
            transformer_dim=WIDTH, iou_head_hidden_dim=16,
            transformer=TwoWayTransformer(depth=3, embedding_dim=WIDTH, mlp_dim=48, num_heads=4),
        ),
    )  # fmt: skip
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1 or "pos" in name:  # biases, norms and positions start at zero or one
                parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return model.eval()
