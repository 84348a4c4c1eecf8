from concurrent.futures import ThreadPoolExecutor

import torch

from backend.pretrained.threads import use_threads


def test_the_thread_that_asked_uses_as_many_as_it_asked_for():
    with ThreadPoolExecutor(1) as pool:
        before = pool.submit(torch.get_num_threads).result()
        pool.submit(use_threads, 1).result()

        assert pool.submit(torch.get_num_threads).result() == 1
        pool.submit(use_threads, before).result()
