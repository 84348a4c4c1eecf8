from dataclasses import replace

from ris.store.names import (
    NamedProject,
    find_annotator_names,
    find_project_names,
    save_annotator_names,
    save_project_name,
)
from tests.builders.records import NOW


def test_the_newest_name_and_progress_of_a_project_count(database):
    first = NamedProject("Kitchen", 10, 3, NOW)
    with database.begin() as session:
        save_project_name(session, "1.5", first)
        save_project_name(session, "1.5", replace(first, title="Küche", n_answered=4))

        assert find_project_names(session) == {"1.5": NamedProject("Küche", 10, 4, NOW)}


def test_an_annotator_can_be_renamed(database):
    with database.begin() as session:
        save_annotator_names(session, {3: "Ada", 4: "Grace"}, now=NOW)
        save_annotator_names(session, {3: "Ada L."}, now=NOW)

        assert find_annotator_names(session) == {3: "Ada L.", 4: "Grace"}
