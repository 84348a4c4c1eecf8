"""Addresses of Label Studio's pages, for people who read a page of ours."""

from ris.core.types import Task


def make_task_address(url: str, task: Task) -> str:
    """Return the address of a task in Label Studio's Data Manager; "" for a task of a file.

    Args:
        url: Label Studio's address as browsers see it.
        task: the task.
    """
    number = task.project.split(".")[0]
    if not url or not number.isdecimal():
        return ""
    return f"{url.rstrip('/')}/projects/{number}/data?task={task.task_id}"
