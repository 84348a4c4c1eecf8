"""Exports as the first release computed them: all decisions in one list, each file made at once.

It is the oracle of `ris.export`, which reads the decisions by pages and writes item by item. What one item
looks like is taken from `ris.export`; what is chosen, numbered, put together and left out is computed here.
"""

import json
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ris.core.masks import compute_iou_matrix
from ris.core.types import Verdict
from ris.errors import BackendError
from ris.export import coco, huggingface, jsonl, labelstudio, pairs, phrasecut, refcoco, yolo
from ris.export.dataset import AGREEMENT_IOU, DatasetSample, assign_split, get_mask
from ris.export.imagefile import ImageFile, make_image_file_name
from ris.export.phrases import read_phrase
from ris.export.text import UNSAFE_CHARACTERS
from ris.labelstudio.masks.polygon import trace_outlines
from ris.labelstudio.region import write_predictions


@dataclass(frozen=True)
class Whole:
    """All decisions of an export, and what it makes of them."""

    decisions: list
    records: list
    not_chosen: list
    samples: list
    unusable: list
    files: dict


def make_whole(decisions, choice):
    verdicts = [Verdict(word) for word in choice.verdicts] or list(Verdict)
    records = [d for d in decisions if d.correction.verdict in verdicts]
    not_chosen = [
        (d, f"its verdict is {d.correction.verdict.value}")
        for d in decisions
        if d.correction.verdict not in verdicts
    ]
    files = find_files(decisions)
    samples, unusable = make_samples(decisions, choice, files)
    return Whole(decisions, records, not_chosen, samples, unusable, files)


def find_files(decisions):
    files = {}
    for d in decisions:
        url = d.correction.annotation.task.image_url
        if d.image_digest is not None and d.image_digest not in files:
            name = make_image_file_name(url, d.image_digest)
            files[d.image_digest] = ImageFile(len(files), d.image_digest, name, url, d.image_size)
    return files


def make_samples(decisions, choice, files):
    usable, left_out = [], []
    for d in decisions:
        reason = find_problem(d, choice)
        if reason:
            left_out.append((d, reason))
        else:
            usable.append(d)
    groups = {}
    for d in usable:
        task = d.correction.annotation.task
        groups.setdefault((task.project, task.task_id, task.image_url, task.expression), []).append(d)
    samples = []
    for group in groups.values():
        chosen = group if choice.resolve == "all" else [pick_answer(group, choice.resolve)]
        samples += [make_sample(d, choice, files) for d in chosen]
        reason = f"another answer to the same task counts ({choice.resolve})"
        left_out += [(d, reason) for d in group if not any(d is one for one in chosen)]
    return samples, left_out


def find_problem(decision, choice):
    verdict = decision.correction.verdict
    if verdict is Verdict.SKIPPED:
        return "it was skipped"
    if choice.verdicts and verdict.value not in choice.verdicts:
        return f"its verdict is {verdict.value}"
    return find_image_problem(decision)


def find_image_problem(decision):
    if decision.image_digest is None:
        return "its image was never seen here"
    mask = get_mask(decision)
    if mask is not None and mask.size != decision.image_size:
        (height, width), (mask_height, mask_width) = decision.image_size, mask.size
        return f"its mask is {mask_width} x {mask_height}, its image {width} x {height}"
    return ""


def pick_answer(group, resolve):
    newest = sorted(group, key=lambda d: d.correction.annotation.updated_at, reverse=True)
    if resolve == "latest":
        return newest[0]
    return max(newest, key=lambda d: sum(is_same_answer(d, other) for other in newest))


def is_same_answer(one, two):
    masks = [get_mask(d) for d in (one, two)]
    if masks[0] is None or masks[1] is None:
        return masks[0] is masks[1]
    return masks[0].size == masks[1].size and bool(
        compute_iou_matrix([masks[0]], [masks[1]])[0, 0] >= AGREEMENT_IOU
    )


def make_sample(decision, choice, files):
    file = files[decision.image_digest]
    split = assign_split(file.digest, choice.shares, choice.seed)
    return DatasetSample(get_mask(decision), decision.image_size, split, decision, file)


def number_images(samples):
    return {digest: i for i, digest in enumerate(dict.fromkeys(s.file.digest for s in samples), 1)}


def to_text(content, indent=None):
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    return UNSAFE_CHARACTERS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_json(path, content, indent=None):
    write_text(path, to_text(content, indent) + "\n")


def write_lines(path, contents):
    write_text(path, "".join(to_text(content) + "\n" for content in contents))


def write_coco(whole, path, segmentation):
    images, notes, without = {}, [], []
    problems = [(d, find_image_problem(d)) for d in whole.records]
    for d in [d for d, problem in problems if not problem]:
        file = whole.files[d.image_digest]
        image = images.setdefault(d.image_digest, coco._make_image(len(images) + 1, file))
        mask = get_mask(d)
        if mask is None:
            without.append({"image_id": image["id"], **coco._make_attributes(d)})
        else:
            notes.append(coco._make_annotation(len(notes) + 1, image["id"], mask, segmentation(mask), d))
    content = {
        "info": {"description": "referring expressions, corrected", "without_mask": without},
        "images": list(images.values()), "annotations": notes, "categories": [coco._CATEGORY],
    }  # fmt: skip
    write_json(path, content, indent=1)
    return [*whole.not_chosen, *((d, problem) for d, problem in problems if problem)], ""


def write_labelstudio(whole, out, controls, default):
    tasks, projects = {}, set()
    for d in whole.records:
        task = d.correction.annotation.task
        own = controls.get(task.project, default)
        projects.add(task.project)
        entry = tasks.setdefault(
            (task.project, task.task_id, task.image_url, task.expression),
            {
                "data": labelstudio._make_data(task, own, default),
                "meta": {"project": task.project, "task_id": task.task_id},
                "annotations": [], "predictions": [],
            },
        )  # fmt: skip
        entry["annotations"].append(labelstudio._make_annotation(d, own))
        if d.version and not entry["predictions"]:
            entry["predictions"] = write_predictions(d.alternatives, own, version=d.version)
    write_json(out / "labelstudio.json", list(tasks.values()))
    simplified = [key for key in sorted(projects) if not controls.get(key, default).is_lossless]
    loss = f"outlines are simplified in project {', '.join(simplified)}" if simplified else ""
    return whole.not_chosen, loss


def write_refcoco(whole, out):
    masked = [s for s in whole.samples if s.mask is not None]
    ids, refs = number_images(masked), []
    for number, s in enumerate(masked, 1):
        refs.append(
            {
                "ref_id": number, "ann_id": number, "category_id": 1, "image_id": ids[s.file.digest],
                "file_name": s.file_name, "image_url": s.image_url, "split": s.split,
                **refcoco._make_sentences(number, s.expression),
            }
        )  # fmt: skip
    write_json(out / "refs(ris).json", refs, indent=1)
    (out / "refs(ris).p").write_bytes(pickle.dumps(refs, protocol=2))
    write_instances(masked, ids, out)
    reason = "RefCOCO has no place for an expression without a referent"
    return [*whole.unusable, *((s.decision, reason) for s in whole.samples if s.mask is None)], ""


def write_grefcoco(whole, out):
    ids, refs = number_images(whole.samples), []
    for number, s in enumerate(whole.samples, 1):
        refs.append(
            {
                "ref_id": number, "ann_id": [-1 if s.mask is None else number],
                "category_id": [-1 if s.mask is None else 1], "image_id": ids[s.file.digest],
                "file_name": s.file_name, "image_url": s.image_url, "split": s.split,
                "no_target": s.mask is None, **refcoco._make_sentences(number, s.expression),
            }
        )  # fmt: skip
    write_json(out / "grefs(ris).json", refs, indent=1)
    write_instances(whole.samples, ids, out)
    return whole.unusable, ""


def write_instances(samples, ids, out):
    images = {}
    for s in samples:
        images.setdefault(s.file.digest, refcoco._make_image(ids[s.file.digest], s))
    notes = [
        refcoco._make_annotation(number, ids[s.file.digest], s.mask)
        for number, s in enumerate(samples, 1)
        if s.mask is not None
    ]
    content = {"images": list(images.values()), "annotations": notes, "categories": [refcoco._CATEGORY]}
    write_json(out / "instances.json", content, indent=1)


def write_phrasecut(whole, out, parse):
    masked = [s for s in whole.samples if s.mask is not None]
    ids, counts = number_images(masked), phrasecut.PhraseCounts()
    tasks = {split: [] for split in ("train", "val", "test", "miniv")}
    for number, s in enumerate(masked, 1):
        phrase = read_phrase(parse(s.expression))
        counts.add(phrase)
        entry = phrasecut._make_task(number, ids[s.file.digest], s, phrase)
        tasks.setdefault(s.split, []).append(entry)
    for split, listed in tasks.items():
        write_json(out / f"refer_{split}.json", listed)
    firsts = {ids[s.file.digest]: s for s in reversed(masked)}
    images = [phrasecut._make_image(number, s) for number, s in sorted(firsts.items())]
    for name in ("image_data_split.json", "image_data_split3000.json"):
        write_json(out / name, images)
    write_json(out / "name_att_rel_count.json", counts.to_json())
    reason = "PhraseCut has no place for an expression without a referent"
    return [*whole.unusable, *((s.decision, reason) for s in whole.samples if s.mask is None)], ""


def write_yolo(whole, out):
    masked = [s for s in whole.samples if s.mask is not None]
    classes = {name: i for i, name in enumerate(dict.fromkeys(s.expression for s in masked))}
    files, entries = {}, []
    for s in masked:
        parts = trace_outlines(s.mask)
        path = Path("labels") / s.split / f"{Path(s.file_name).stem}.txt"
        files.setdefault(path, []).extend(yolo._make_lines(classes[s.expression], parts))
        entries.append(yolo._make_entry(path, classes[s.expression], s, parts))
    for path, lines in files.items():
        write_text(out / path, "\n".join(lines) + "\n")
    write_json(out / "expressions.json", entries, indent=1)
    head = "".join(f"{split}: images/{split}\n" for split in sorted({s.split for s in masked}))
    names = "".join(f"  {i}: {yolo.to_yaml_string(name)}\n" for i, name in enumerate(classes))
    write_text(out / "data.yaml", f"{head}names:\n{names}" if names else f"{head}names: {{}}\n")
    ious = [one["iou_with_mask"] for one in entries]
    loss = f"IoU with the masks: mean {sum(ious) / len(ious):.4f}, minimum {min(ious):.4f}" if ious else ""
    left_out = [(s.decision, yolo._NO_REFERENT_REASON) for s in whole.samples if s.mask is None]
    return [*whole.unusable, *left_out], loss


def write_huggingface(whole, out, read):
    left_out, counts = [], {}
    (out / "data").mkdir(parents=True)
    for split in sorted({s.split for s in whole.samples}):
        path = out / "data" / f"{split}-00000-of-00001.parquet"
        with pq.ParquetWriter(path, huggingface._PARQUET_SCHEMA) as writer:
            own = [s for s in whole.samples if s.split == split]
            for start in range(0, len(own), 64):
                rows = []
                for s in own[start : start + 64]:
                    try:
                        rows.append(huggingface._make_row(s, read))
                    except BackendError as error:
                        left_out.append((s.decision, str(error)))
                if rows:
                    writer.write_table(pa.Table.from_pylist(rows, huggingface._PARQUET_SCHEMA))
                    counts[split] = counts.get(split, 0) + len(rows)
        if split not in counts:
            path.unlink()
    (out / "README.md").write_text(huggingface.make_dataset_card(counts), encoding="utf-8")
    return [*whole.unusable, *left_out], ""


def write_pairs(whole, out):
    lines, left_out = [], []
    for s in whole.samples:
        line = pairs.to_preference_pair(s)
        if line["rejected"]:
            lines.append(line)
        else:
            left_out.append((s.decision, "no alternative was rejected"))
    write_lines(out / "preferences.jsonl", lines)
    return [*whole.unusable, *left_out], ""


def write_whole_export(decisions, choice, out, *, read, parse, controls, default):
    """Write all formats of a choice, and the report."""
    whole = make_whole(decisions, choice)
    writers = {
        "coco": lambda: write_coco(whole, out / "coco.json", coco.to_run_lengths),
        "coco-polygons": lambda: write_coco(whole, out / "coco_polygons.json", coco.to_polygons),
        "labelstudio": lambda: write_labelstudio(whole, out, controls, default),
        "refcoco": lambda: write_refcoco(whole, out / "refcoco"),
        "grefcoco": lambda: write_grefcoco(whole, out / "grefcoco"),
        "phrasecut": lambda: write_phrasecut(whole, out / "phrasecut", parse),
        "huggingface": lambda: write_huggingface(whole, out / "huggingface", read),
        "yolo": lambda: write_yolo(whole, out / "yolo"),
        "pairs": lambda: write_pairs(whole, out),
    }
    formats = {}
    for name in choice.formats:
        if name == "jsonl":
            write_lines(out / "decisions.jsonl", [jsonl.to_json_line(d) for d in whole.records])
            omissions, loss = whole.not_chosen, ""
        else:
            omissions, loss = writers[name]()
        formats[name] = {
            "written": len(decisions) - len(omissions), "loss": loss,
            "left_out": [
                {
                    "project": a.task.project, "task_id": a.task.task_id, "annotation_id": a.annotation_id,
                    "reason": reason,
                }
                for d, reason in omissions
                for a in [d.correction.annotation]
            ],
        }  # fmt: skip
    report = {
        "decisions": len(decisions), "not_understood": 0, "choice": asdict(choice), "formats": formats,
    }  # fmt: skip
    write_json(out / "export_report.json", report, indent=1)
