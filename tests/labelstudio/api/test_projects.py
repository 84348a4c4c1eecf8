import pytest

from ris.errors import LabelStudioError
from ris.labelstudio.api.projects import (
    fetch_ml_backends,
    fetch_project,
    fetch_uploads,
    fetch_webhooks,
    find_projects_by_title,
)
from tests.builders.adjudicated_studio import AdjudicatedStudio
from tests.labelstudio.small_studio import SmallStudio


def test_a_project_and_what_belongs_to_it_are_fetched():
    api = SmallStudio()

    assert fetch_project(api, 3)["title"] == "mugs"
    assert [one["title"] for one in fetch_ml_backends(api, 3)] == ["ris"]
    assert [one["id"] for one in fetch_webhooks(api, 3)] == [1]
    assert fetch_uploads(api, 3) == []


def test_another_project_than_the_one_asked_for_is_refused():
    api = SmallStudio(lambda call, params, sane: sane | {"id": 4})

    with pytest.raises(LabelStudioError, match="answered with project 4 when asked for 3"):
        fetch_project(api, 3)


@pytest.mark.parametrize("fetch", [fetch_project, fetch_ml_backends, fetch_webhooks, fetch_uploads])
@pytest.mark.parametrize("answer", [None, "x", 5, [None], [{"id": None}], {"detail": "no"}])
def test_what_is_none_of_it_is_one_sentence(fetch, answer):
    with pytest.raises(LabelStudioError, match="cannot be read"):
        fetch(SmallStudio(lambda *_: answer), 3)


def test_projects_are_found_by_their_whole_title():
    studio = AdjudicatedStudio()
    numbers = [studio.add_project(title=title)["id"] for title in ("mugs", "Mugs", "mugs, settled", "mugs")]

    assert find_projects_by_title(studio, "mugs") == [numbers[0], numbers[3]]
    assert find_projects_by_title(studio, "cups") == []
