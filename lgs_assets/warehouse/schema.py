"""The schemas of the warehouse, and how a transaction works in them. Knows nothing of what the tables hold."""

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
    """Works as `lgs_owner` until the transaction ends, where the login may: tables then belong to one role.

    The settings of that role then apply, which PostgreSQL does not do by itself: otherwise the readers' would.
    """
    cursor.execute(
        """
        select set_config('role', rolname, true), (
            select count(set_config(split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1), true))
            from pg_db_role_setting
            cross join unnest(setconfig) as setting
            where setrole = pg_roles.oid
                and setdatabase in (0, (select oid from pg_database where datname = current_database()))
        )
        from pg_roles
        where rolname = 'lgs_owner' and pg_has_role(current_user, oid, 'set')
        """
    )


def act_as(cursor: Cursor, role: str) -> None:
    """Works as another role until the transaction, or the savepoint, ends; as the login itself by the name `none`."""
    cursor.execute("select set_config('role', %s, true)", [role])


def execute_script(cursor: Cursor, script: str) -> None:
    """Runs a file of this project that holds several statements. Never anything from outside."""
    cursor.execute(script.encode())
