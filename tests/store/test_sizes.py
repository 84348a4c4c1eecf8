import pytest

from ris.store.session import Database, upgrade_database
from ris.store.sizes import count_images, measure_columns, measure_tables
from tests.builders.records import add, correction, keep


@pytest.fixture
def filled(empty_url):
    upgrade_database(empty_url)
    database = Database.open(empty_url)
    keep(database)
    add(database, correction(1), correction(2))
    yield database
    database.close()


def test_every_table_has_its_rows_and_bytes(filled):
    with filled.begin() as session:
        sizes = {size.name: size for size in measure_tables(session)}
        n_images = count_images(session)

    assert (sizes["correction"].n_rows, sizes["suggestion"].n_rows, n_images) == (2, 3, 1)
    assert all(size.n_bytes >= 0 and size.n_index_bytes >= 0 for size in sizes.values())
    assert sizes["correction"].n_bytes > 0 < sizes["correction"].n_index_bytes


def test_the_long_columns_are_measured_largest_first(filled):
    with filled.begin() as session:
        sizes = measure_columns(session)
        found = {(size.table, size.column): size.n_bytes for size in sizes}

    assert [size.n_bytes for size in sizes] == sorted(found.values(), reverse=True)
    assert found["correction", "expression"] >= 2 * len("左 the left mug".encode())
    assert found["event", "body"] == 0
    assert ("task", "explained") in found
