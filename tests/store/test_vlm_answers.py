from datetime import UTC, datetime

from ris.referring.grounding.question import Reply
from ris.store.session import Database
from ris.store.vlm_answers import add_vlm_answer, find_vlm_answer

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_an_answer_is_found_by_what_was_sent_and_the_first_one_stays(url):
    database = Database.open(url)
    with database.begin() as session:
        add_vlm_answer(session, "ab" * 32, "m", Reply("one", True, 5, 6), now=NOW)
        add_vlm_answer(session, "ab" * 32, "m", Reply("two"), now=NOW)

    with database.begin() as session:
        assert find_vlm_answer(session, "ab" * 32) == Reply("one", True, 5, 6)
        assert find_vlm_answer(session, "cd" * 32) is None
    database.close()
