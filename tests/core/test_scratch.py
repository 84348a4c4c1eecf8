from ris.core.scratch import open_scratch


def test_tables_are_apart_from_each_other():
    one, two = (open_scratch("CREATE TABLE thing (name TEXT);") for _ in range(2))
    one.execute("INSERT INTO thing VALUES ('a')")

    assert one.execute("SELECT name FROM thing").fetchall() == [("a",)]
    assert two.execute("SELECT name FROM thing").fetchall() == []
