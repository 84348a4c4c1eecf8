from datetime import UTC, datetime

from ris.store.descriptions import add_descriptions, find_descriptions

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DIGEST = "ab" * 32


def keep(database, said, *, digest=DIGEST, model="m"):
    with database.begin() as session:
        add_descriptions(session, digest, model, said, now=NOW)


def find(database, prompts, *, digest=DIGEST, model="m"):
    with database.begin() as session:
        return find_descriptions(session, digest, model, prompts)


def test_what_was_said_comes_back_by_its_prompt(database):
    keep(database, {"what is 'the left mug'?": "a red mug", "and around it?": ""})

    assert find(database, ["and around it?", "what is 'the left mug'?", "never asked"]) == {
        "what is 'the left mug'?": "a red mug",
        "and around it?": "",
    }


def test_another_image_or_model_was_not_asked(database):
    keep(database, {"what?": "a red mug"})

    assert find(database, ["what?"], digest="cd" * 32) == {}
    assert find(database, ["what?"], model="other") == {}


def test_the_first_answer_stays(database):
    keep(database, {"what?": "a red mug"})
    keep(database, {"what?": "a blue mug"})

    assert find(database, ["what?"]) == {"what?": "a red mug"}
