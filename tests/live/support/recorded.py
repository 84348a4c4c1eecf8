"""Decisions on record."""

import time

from ris.store.history import read_decisions
from ris.store.session import Database


def on_record(server, project, condition):
    """The project's decisions by annotation id, once the condition holds for them."""
    database = Database.open(server.database_url)
    try:
        while True:
            with database.begin() as session:
                found = {
                    d.correction.annotation.annotation_id: d
                    for d in read_decisions(session, project=project.key)
                }
            if condition(found):
                return found
            time.sleep(0.2)
    finally:
        database.close()
