"""The schemas of the warehouse, and how a transaction works in them. What is in the tables is the subject of others."""

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

SCHEMA = "lgs"
STAGING = "lgs_staging"

Cursor = psycopg.Cursor[TupleRow]


def driver_cursor(connection: sa.Connection) -> Cursor:
    """A psycopg cursor in the transaction of a SQLAlchemy connection: for COPY and for DDL."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 (narrows the type for the checker)
    return driver.cursor()


def become_owner(cursor: Cursor) -> None:
    """Works as `lgs_owner` until the transaction ends, where the login may: tables then belong to one role."""
    cursor.execute(
        "select set_config('role', rolname, true) from pg_roles "
        "where rolname = 'lgs_owner' and pg_has_role(current_user, oid, 'set')"
    )


def execute_script(cursor: Cursor, script: str) -> None:
    """Runs a file of this project that holds several statements. Never anything that came from outside."""
    cursor.execute(script.encode())
