"""The database's address: nothing that could be a password is ever shown."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from ris.errors import StoreError
from ris.store.database_url import parse_database_url, redact_database_url
from ris.store.session import Database, upgrade_database
from tests.builders.postgres import new_database

PIECES = st.text(st.sampled_from("@/#%:?&=[]+ '\"\\$;,\n\tä"), max_size=3)
SECRET = "s3kr3t"


@st.composite
def passwords(draw):
    """A password in which special characters of an address separate the parts."""
    return "".join(f"{draw(PIECES)}{SECRET}{i}" for i in range(draw(st.integers(1, 3)))) + draw(PIECES)


FORMS = (
    "postgresql://ris:{}@127.0.0.1:1/ris", "postgresql+psycopg://ris:{}@127.0.0.1:1/ris",
    "postgres://:{}@127.0.0.1:1/ris?sslmode=disable", "postgresql://ris:{}@/ris?host=127.0.0.1&port=1",
    "postgresql://127.0.0.1:1/ris?user=ris&password={}", "postgresql://ris@127.0.0.1:1/ris?password={}",
    "postgresql://127.0.0.1:1/ris?sslpassword={}&user=ris", "postgresql://ris:{}@[::1]:1/ris",
    "postgresql://127.0.0.1:1/ris&password={}", "postgresql://ris:x@127.0.0.1:1/ris?sslmode=disable&password={}",
    "host=127.0.0.1 port=1 user=ris password={}", "postgresql:ris:{}@127.0.0.1:1/ris", "ris:{}@127.0.0.1/ris",
    "mysql://ris:{}@127.0.0.1:1/ris", "postgresql+psycopg2://ris:{}@127.0.0.1:1/ris",
    "sqlite://ris:{}@host/ris.db", "sqlite+pysqlcipher://:{}@/ris.db",
)  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(FORMS), passwords(), st.booleans())
@example("postgresql://ris:{}@127.0.0.1:1/ris", f"a@{SECRET}", False)
@example("postgresql://ris:{}@127.0.0.1:1/ris", f"a@{SECRET}:1@b", False)
@example("postgresql://127.0.0.1:1/ris?password={}", f"a&{SECRET}=1", False)
@example("postgresql://127.0.0.1:1/ris&password={}", f"@{SECRET}", False)
@example("postgresql://ris@127.0.0.1:1/ris?password={}", f"@{SECRET}", False)
@example("postgresql://ris:{}@127.0.0.1:1/ris", f"a/@{SECRET}", False)
def test_no_part_of_a_password_is_shown_whatever_the_form(form, password, is_quoted):
    url = form.format(quote(password, safe="") if is_quoted else password)

    for attempt in (Database.open, upgrade_database):
        with pytest.raises(StoreError) as caught:
            attempt(url)
        assert SECRET not in str(caught.value)
        assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(passwords())
def test_a_quoted_password_is_read_as_it_was_before_it_was_quoted(password):
    address = parse_database_url(
        f"postgresql://ris:{quote(password, safe='')}@host:5433/name?sslmode=require"
    )

    assert (address.username, address.password) == ("ris", password)
    assert redact_database_url(address) == "postgresql://host:5433/name"


@settings(deadline=None)
@given(passwords())
def test_a_password_that_is_taken_as_it_stands_is_taken_whole(password):
    """A password that would be cut is refused: the rest would be parsed as a host or an option."""
    assume("%" not in password)
    try:
        address = parse_database_url(f"postgresql://ris:{password}@host/name")
    except StoreError as error:
        assert "PGPASSWORD" in str(error)
    else:
        assert (address.password, address.host, address.database) == (password, "host", "name")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///ris.db", "sqlite:///ris.db"),
        ("sqlite:////home/me@work/a b.db?mode=ro&uri=true", "sqlite:////home/me@work/a b.db"),
        ("postgres://ris:x@host/ris", "postgresql://host/ris"),
        ("postgresql:///ris?host=/run/postgresql", "postgresql:///ris"),
        ("postgresql://ris@[::1]:5433/ris", "postgresql://[::1]:5433/ris"),
    ],
)
def test_an_address_is_shown_by_its_place_alone(url, shown):
    assert redact_database_url(parse_database_url(url)) == shown


def test_two_slashes_before_a_file_say_that_three_are_needed():
    with pytest.raises(StoreError, match="needs three slashes"):
        parse_database_url("sqlite://ris.db")


def test_a_password_of_any_signs_is_taken_from_the_environment(postgres, tmp_path):
    """As in docker-compose.yml, the address has no password. The server refuses a wrong one."""
    password = "p@ss/w#rd%40:?&='\"$x y"
    place = make_url(new_database(postgres))
    postgres.psql(f"CREATE ROLE asked LOGIN PASSWORD '{password.replace(chr(39), chr(39) * 2)}';")
    postgres.psql(f'ALTER DATABASE "{place.database}" OWNER TO asked;')
    rules = postgres.pgdata / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all asked scram-sha-256\nhost all asked all scram-sha-256\n{before}")
    postgres.psql("SELECT pg_reload_conf();")
    url = place.set(username="asked", password=None).render_as_string(hide_password=False)
    command = [sys.executable, "-m", "ris", "db", "upgrade", "--database-url", url]
    try:
        right = subprocess.run(
            command, env=environment(password), cwd=tmp_path, capture_output=True, text=True
        )
        wrong = subprocess.run(
            command, env=environment("other"), cwd=tmp_path, capture_output=True, text=True
        )
    finally:
        rules.write_text(before)
        postgres.psql("SELECT pg_reload_conf();")

    assert (right.returncode, right.stderr) == (0, "")
    assert wrong.returncode == 1
    assert "password authentication failed" in wrong.stderr


def environment(password):
    return os.environ | {"PGPASSWORD": password, "PYTHONPATH": str(Path(__file__).parents[2] / "backend")}
