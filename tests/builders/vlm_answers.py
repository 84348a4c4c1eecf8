"""Write answers as each family of vision-language models does: the opposite of what is tested."""

import json
import math

FAMILIES = (
    "qwen2.5-vl", "qwen3-vl", "box-tags", "visionreasoner", "molmo", "molmo-2", "florence-2", "paligemma",
    "gemini", "plain-json",
)  # fmt: skip
POINT_FAMILIES = ("molmo", "molmo-2")  # they write no boxes


def resize_by_28(height, width):
    """Qwen2.5-VL's rounding of the sides."""
    rows, columns = (max(28, round(side / 28) * 28) for side in (height, width))
    if rows * columns > 12_845_056:
        scale = math.sqrt(height * width / 12_845_056)
        rows, columns = (max(28, math.floor(side / scale / 28) * 28) for side in (height, width))
    elif rows * columns < 3136:
        scale = math.sqrt(3136 / (height * width))
        rows, columns = (math.ceil(side * scale / 28) * 28 for side in (height, width))
    return rows, columns


def write_answer(family, boxes, sent, label="it"):
    """Write boxes, as shares (x1, y1, x2, y2) of the sides, in the words of a family."""
    height, width = sent
    rows, columns = resize_by_28(height, width)
    scaled = {
        "qwen2.5-vl": (columns, rows), "visionreasoner": (840, 840), "molmo": (100, 100),
        "paligemma": (1024, 1024), "plain-json": (width, height),
    }.get(family, (1000, 1000))  # fmt: skip
    numbers = [[value * scaled[i % 2] for i, value in enumerate(box)] for box in boxes]
    whole = [[round(value) for value in box] for box in numbers]
    centres = [((x1 + x2) / 2, (y1 + y2) / 2) for x1, y1, x2, y2 in numbers]
    match family:
        case "qwen2.5-vl" | "qwen3-vl":
            return fence([{"bbox_2d": box, "label": label} for box in whole])
        case "box-tags":
            tags = (f"<|box_start|>({b[0]},{b[1]}),({b[2]},{b[3]})<|box_end|>" for b in whole)
            return "".join(f"<|object_ref_start|>{label}<|object_ref_end|>{tag}" for tag in tags) or "none"
        case "visionreasoner":
            things = [
                {"bbox_2d": box, "point_2d": [round(x), round(y)]}
                for box, (x, y) in zip(whole, centres, strict=True)
            ]
            return f"<think>The box [1, 2, 3, 4] is wrong.</think>\n<answer>{json.dumps(things)}</answer>"
        case "molmo" if len(boxes) == 1:
            return f' <point x="{centres[0][0]:.1f}" y="{centres[0][1]:.1f}" alt="{label}">{label}</point>'
        case "molmo" if boxes:
            places = " ".join(f'x{i}="{x:.1f}" y{i}="{y:.1f}"' for i, (x, y) in enumerate(centres, 1))
            return f' <points {places} alt="{label}">{label}</points>'
        case "molmo-2" if boxes:
            places = " ".join(f"{i} {x:.0f} {y:.0f}" for i, (x, y) in enumerate(centres, 1))
            return f'<points coords="1 {places}">{label}</points>'
        case "molmo" | "molmo-2":
            return "There are none."
        case "florence-2":
            corners = [(b[0], b[1], b[2], b[1], b[2], b[3], b[0], b[3]) for b in numbers]
            bins = [[min(999, max(0, math.floor(value))) for value in one] for one in corners]
            polygons = ("".join(f"<loc_{value}>" for value in one) for one in bins)
            return "</s><s>" + "<poly></poly>".join(polygons) + "</s>" if boxes else "None"
        case "paligemma":
            codes = [(b[1], b[0], b[3], b[2]) for b in whole]
            detected = (
                "".join(f"<loc{min(value, 1023):04d}>" for value in one) + f" {label}" for one in codes
            )
            return " ; ".join(detected) or "none"
        case "gemini":
            return fence([{"box_2d": [b[1], b[0], b[3], b[2]], "label": label} for b in whole])
    return json.dumps([{"bbox": box} for box in whole])


def fence(value):
    return f"```json\n{json.dumps(value, indent=1)}\n```"
