"""Datasets in PhraseCut's layout."""

import json

SIZE = (12, 20)

IMAGE = {"image_id": 3, "height": 12, "width": 20, "split": "val", "url": "http://x/3.jpg", "coco_id": None}


def write(folder, tasks, split="val"):
    (folder / "image_data_split3000.json").write_text(json.dumps([IMAGE]))
    (folder / f"refer_{split}.json").write_text(json.dumps(tasks))


def task(polygons, **more):
    return {"task_id": "3__1", "image_id": 3, "phrase": "red box", "Polygons": polygons} | more
