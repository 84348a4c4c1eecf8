"""Speeds of products that are known before, for tests of what is made of them."""

from ris.pretrained.linear_speed import LinearSpeeds


class FixedSpeeds(LinearSpeeds):
    """Speeds by which the packed way is faster from a number of rows on; None for never."""

    def __init__(self, packed_from):
        super().__init__(None)
        self.packed_from = packed_from

    def find_packed_from(self, n_in, n_out, dtype):
        return self.packed_from
