"""Datasets in RefCOCO's layout."""

import json
import pickle

import numpy as np
from pycocotools import mask as coco

from tests.builders.masks import rectangle

SIZE = (12, 20)

BOX, OTHER = rectangle(SIZE, 2, 1, 8, 9), rectangle(SIZE, 12, 3, 18, 10)

POLYGON = [[2, 1, 8, 1, 8, 9, 2, 9]]


def compress_mask(mask):
    code = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(mask.shape), "counts": code["counts"].decode()}


def write(folder, refs, *, as_pickle=True, masks=None):
    masks = masks or {7: POLYGON, 8: compress_mask(OTHER)}
    instances = {
        "images": [{"id": 3, "file_name": "a.jpg", "height": SIZE[0], "width": SIZE[1]}],
        "annotations": [{"id": i, "image_id": 3, "segmentation": s} for i, s in masks.items()],
        "categories": [],
    }
    (folder / "instances.json").write_text(json.dumps(instances))
    if as_pickle:
        (folder / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=2))
    else:
        (folder / "grefs(unc).json").write_text(json.dumps(refs))


def ref(annotation=7, *words, **more):
    sentences = [
        {"sent_id": i, "raw": w, "sent": w.lower(), "tokens": w.split()} for i, w in enumerate(words)
    ]
    return {"ref_id": 1, "ann_id": annotation, "image_id": 3, "split": "val", "sentences": sentences} | more
