"""Parse the database's address, and show it without anything that could be a password."""

from psycopg.pq import Conninfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ris.errors import StoreError

_SQLITE_DRIVERS = ("sqlite", "sqlite+pysqlite")
_POSTGRESQL_DRIVERS = ("postgresql", "postgres", "postgresql+psycopg")
_PASSWORD_ADVICE = (
    "leave the password out and set PGPASSWORD, which takes it as it is, or write its @ as %40, "
    "its / as %2F, its ? as %3F, its & as %26 and its % as %25"
)


def parse_database_url(url: str) -> URL:
    """Parse the address of the database.

    The host, the port, the name and the options of an address appear in messages, ours and the driver's. An
    address is refused when a part of a password could have been parsed as one of them.

    Args:
        url: sqlite:///file, or postgresql://user@host/name with the password in PGPASSWORD.

    Raises:
        StoreError: it is no such address; the message holds nothing of it.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # not chained: it quotes the address
        raise StoreError(
            "RIS_DATABASE_URL is no database address; e.g. sqlite:///ris.db or postgresql://user@host/name. "
            f"If a password is in it, {_PASSWORD_ADVICE}"
        ) from None
    if address.drivername in _SQLITE_DRIVERS:
        if address.host or address.username or address.password:
            raise StoreError("RIS_DATABASE_URL needs three slashes before SQLite's file: sqlite:///ris.db")
        return address
    if address.drivername not in _POSTGRESQL_DRIVERS:
        raise StoreError(f"RIS_DATABASE_URL names {address.drivername}; it can be sqlite or postgresql")
    if not _is_unambiguous(url, address):
        raise StoreError(f"RIS_DATABASE_URL can be read in more than one way: {_PASSWORD_ADVICE}")
    return address.set(drivername="postgresql+psycopg")


def redact_database_url(address: URL) -> str:
    """Return the address for a message, without its user, its password and its options."""
    if address.drivername in _SQLITE_DRIVERS:
        return f"sqlite:///{address.database or ''}"
    where = URL.create("postgresql", host=address.host, port=address.port, database=address.database)
    return where.render_as_string()


def _is_unambiguous(url: str, address: URL) -> bool:
    """Return whether no part of a password can have been parsed as a host, a name or an option.

    SQLAlchemy accepts "/" and "?" in a password. `//host/name&password=@secret` then parses as a user, a
    password and the host "secret".
    """
    known_options = {option.keyword.decode() for option in Conninfo.get_defaults()}
    userinfo, at, _ = url.partition("://")[2].partition("@")
    return (
        url.count("@") <= 1
        and not (at and set("/?") & set(userinfo))
        and not set("&=") & set(address.database or "")
        and set(address.query) <= known_options
    )
