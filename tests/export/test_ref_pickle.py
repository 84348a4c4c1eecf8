"""Refs that are pickled one by one have the bytes of the pickle module."""

import io
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.export.ref_pickle import RefPickler

TEXTS = st.text(max_size=12) | st.sampled_from(["", "x", "é", "左", "the mug", "\ud800"])
SPLITS = ("train", "val")


def make_refs(drawn):
    """Refs as `write_refcoco` makes them: keys, splits and names of images are the same objects."""
    names = {}
    refs = []
    for number, (image, split, raw, sent) in enumerate(drawn, 1):
        image_id = names.setdefault(image, (len(names) + 1, f"image-{image}.png"))[0]
        sentence = {"sent_id": number, "raw": raw, "sent": sent, "tokens": sent.split()}
        refs.append(
            {
                "ref_id": number, "image_id": image_id, "file_name": names[image][1],
                "image_url": "".join(["/data/", str(image), ".png"]), "split": SPLITS[split],
                "sentences": [sentence], "sent_ids": [number],
            }
        )  # fmt: skip
    return refs


def copy(text):
    """Another object, as each row of a database gives one."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")


def pickle_one_by_one(refs):
    file = io.BytesIO()
    pickler = RefPickler(file)
    for ref in refs:
        pickler.add(ref)
    pickler.close()
    return file.getvalue()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), TEXTS, TEXTS), max_size=12))
def test_any_refs_have_the_bytes_of_the_pickle_module(drawn):
    refs = make_refs([(image, split, copy(raw), copy(sent)) for image, split, raw, sent in drawn])

    assert pickle.loads(pickle_one_by_one(refs)) == refs
    assert pickle_one_by_one(refs) == pickle.dumps(refs, protocol=2)


@pytest.mark.parametrize("n_refs", [0, 1, 2, 999, 1000, 1001, 2001])
def test_lists_around_the_size_of_a_batch_have_the_bytes_of_the_pickle_module(n_refs):
    refs = make_refs([(i % 300, i % 2, f"the mug {i}", f"mug {i}") for i in range(n_refs)])

    assert pickle_one_by_one(refs) == pickle.dumps(refs, protocol=2)


def test_numbers_of_every_size_have_the_bytes_of_the_pickle_module():
    refs = [{"image_id": 1, "ids": [0, 255, 256, 65535, 65536, 2**31 - 1, -1]}] * 1

    assert pickle_one_by_one(refs) == pickle.dumps(refs, protocol=2)
