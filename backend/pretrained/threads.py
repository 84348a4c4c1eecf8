"""How many threads one network uses."""

import cv2
import torch


def use_threads(count: int) -> None:
    """Let this thread's PyTorch, and OpenCV, use so many threads.

    Small networks gain nothing from a second one, and lose much by it when another program wants that core:
    each of their many short parallel steps then waits for a thread that is not running. Beside a busy
    neighbour on two cores a task of the embedded preset took 17 s with two threads.
    """
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
