import re

from ris.core.rle import encode_rle
from ris.core.types import Image
from ris.errors import ImageUnreachable
from ris.quality.check_page import draw_finding, render_check_page
from ris.quality.findings import FindingKind, TaskFinding
from ris.tinyworld.samples import make_samples
from tests.builders.checked import checked_task, load_masks

(SAMPLE,) = make_samples(1)
MASK = encode_rle(SAMPLE.truth)


def load_image(task):
    return Image.from_pixels(SAMPLE.pixels)


def render(*findings, show=lambda one: "data:image/jpeg;base64,AAAA", link=lambda task: ""):
    return render_check_page(
        findings, title="What to look at", subtitle="", show_picture=show, link_task=link
    )


def test_findings_are_counted_shown_and_listed_by_kind():
    page = render(
        TaskFinding(
            FindingKind.CONTRADICTION, "one is wrong", (checked_task(1, "the <b>mug</b>"), checked_task(2))
        ),
        TaskFinding(FindingKind.TYPO, "a typo", (checked_task(3),), {"word": "mugg"}),
        link=lambda task: f"http://studio/{task.task_id}",
    )

    assert page.count("data:image/jpeg") == 2
    assert "the &lt;b&gt;mug&lt;/b&gt;" in page and "<b>mug</b>" not in page
    assert 'href="http://studio/1"' in page
    assert "same words, different masks: 1" in page
    assert "word mugg" in page
    assert not re.search(r"<script|src=\"http", page)


def test_a_picture_that_cannot_be_drawn_says_why():
    def fail(finding):
        raise ImageUnreachable("the image is gone")

    assert "the image is gone" in render(
        TaskFinding(FindingKind.TYPO, "a typo", (checked_task(3),)), show=fail
    )


def test_a_part_of_a_file_has_no_picture():
    page = render(TaskFinding(FindingKind.DEFECT, "it has no image", what="row 9"))

    assert "row 9" in page
    assert "data:image" not in page


def test_no_findings_are_a_page_too():
    assert "What to look at" in render()


def test_tasks_of_one_image_are_drawn_together_and_copies_side_by_side():
    one, two = checked_task(1, "the mug", MASK), checked_task(2, "the cup", MASK, image="b")
    same = checked_task(3, "the cup", MASK)

    together = draw_finding(TaskFinding(FindingKind.SAME_MASK, "", (one, same)), load_masks, load_image)
    apart = draw_finding(TaskFinding(FindingKind.DUPLICATE_IMAGE, "", (one, two)), load_masks, load_image)

    assert together.startswith("data:image/jpeg;base64,")
    assert len(apart) > len(together)
