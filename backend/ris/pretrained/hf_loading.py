"""Load a network of the transformers library from its folder."""

from pathlib import Path
from typing import Any

from transformers.utils import logging

from ris.errors import WeightsError


def load_complete_network(network: Any, folder: Path) -> Any:
    """Load a transformers network from its folder, in float32, with all weights.

    transformers itself only warns when weights are missing, and continues with random ones.

    Args:
        network: its class, such as `BlipForImageTextRetrieval`.
        folder: config and weights, as the library saves them.

    Returns:
        The network in evaluation mode, on the CPU.

    Raises:
        WeightsError: a file is missing or damaged, or lacks weights.
    """
    if not (folder / "config.json").is_file():
        raise WeightsError(f"the model lacks {folder / 'config.json'}; fetch or install it again")
    if not any((folder / name).is_file() for name in ("model.safetensors", "pytorch_model.bin")):
        raise WeightsError(f"the model lacks {folder / 'model.safetensors'}; fetch or install it again")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model, report = network.from_pretrained(
            folder, dtype="float32", local_files_only=True, output_loading_info=True, weights_only=True
        )
    except Exception as error:  # transformers and safetensors have errors of their own
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(
            f"the model in {folder} is damaged: {reason}; fetch or install it again"
        ) from error
    missing = sorted({*report["missing_keys"], *map(str, report["mismatched_keys"])})
    if missing:
        raise WeightsError(
            f"the model in {folder} lacks {len(missing)} weights, such as {missing[0]}; "
            "fetch or install it again"
        )
    return model.eval()
