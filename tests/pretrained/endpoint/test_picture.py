import io

import numpy as np
from PIL import Image as Pillow

from ris.pretrained.endpoint.picture import encode_jpeg
from tests.builders.fakes import squares


def test_the_same_picture_gives_the_same_bytes():
    assert encode_jpeg(squares()) == encode_jpeg(squares().copy())


def test_a_picture_is_sent_in_the_size_that_is_asked_for():
    sent = Pillow.open(io.BytesIO(encode_jpeg(squares(64), (224, 448))))

    assert (sent.format, sent.size) == ("JPEG", (448, 224))


def test_a_view_with_other_strides_is_encoded():
    assert encode_jpeg(squares()[:, ::-1]) == encode_jpeg(np.ascontiguousarray(squares()[:, ::-1]))
