"""The options that all trainings of torch networks have, and how such a training starts."""

import argparse
from pathlib import Path

import cv2
import torch


def make_training_parser(description: str, *, steps: int, seed: int) -> argparse.ArgumentParser:
    """Make a parser with the options of every training.

    Args:
        description: the docstring of the training's module; its first line is shown.
        steps: default number of steps.
        seed: default seed.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, required=True, help="model folder; an unfinished training resumes"
    )
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--threads", type=int, default=1)
    return parser


def prepare_training(args: argparse.Namespace) -> None:
    """Set the threads and the seed, and create the model folder."""
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
