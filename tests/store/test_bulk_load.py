"""Many images are stored in few statements, and a stored task stays as it is.

tests/batch/test_load.py compares every column with what one request stores.
"""

import numpy as np
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.event import listens_for, remove

from ris.core.rle import encode_rle, to_string
from ris.core.types import MethodScore, MethodScores, Task
from ris.store.bulk_load import ComputedImage, ComputedMask, ComputedTask, add_computed_images
from ris.store.records import find_alternatives
from tests.builders.services import NOW

COUNTS = to_string(encode_rle(np.eye(4, dtype=bool)))


def make_image(number, *, n_tasks=2):
    tasks = []
    for i in range(n_tasks):
        task = Task(10 * number + i, "1.1", f"/{number}.png", f"the {i}")
        mask = ComputedMask(f"r{number}-{i}", None, 0, 0.5, COUNTS, (0, 0, 4, 4), {"m": MethodScore(1, 0)})
        tasks.append(ComputedTask(task, [mask], [MethodScores("m", np.ones(1, np.float32))]))
    return ComputedImage(f"{number:064}", (4, 4), [COUNTS], tasks)


def add(database, images):
    with database.begin() as session:
        return add_computed_images(session, images, version="v", now=NOW)


def test_the_number_of_statements_does_not_grow_with_the_images(database):
    statements = []

    @listens_for(DatabaseEngine, "before_cursor_execute")
    def count(connection, cursor, statement, *_):
        statements.append(statement)

    try:
        assert add(database, [make_image(1)]) == 2
        n_one = len(statements)
        assert add(database, [make_image(number) for number in range(2, 40)]) == 76
    finally:
        remove(DatabaseEngine, "before_cursor_execute", count)

    assert len(statements) == 2 * n_one


def test_a_task_that_is_stored_is_not_stored_again(database):
    add(database, [make_image(1, n_tasks=1)])

    assert add(database, [make_image(1)]) == 1
    with database.begin() as session:
        for one in make_image(1).tasks:
            (alternative,) = find_alternatives(session, one.task, "v")
            assert alternative.region_id == one.alternatives[0].region_id


def test_nothing_to_store_is_nothing(database):
    assert add(database, []) == 0
