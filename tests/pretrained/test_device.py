from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from backend.errors import SettingsError
from backend.pretrained.device import check_device, use_threads


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
