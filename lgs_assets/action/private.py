"""The schema `lgs_private`: who may work in it, and how. What is in it is the subject of `contacts`."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from lgs_assets import places
from lgs_assets.errors import LgsError, PermanentError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_by_key
from lgs_assets.warehouse.preparation import PREPARATION_LOCK, make_roles
from lgs_assets.warehouse.schema import Cursor, act_as, driver_cursor, execute_script

ACTIVATOR = "lgs_activator"
_LAST = "former_keys"  # the table that private.sql makes last
# Addresses are parameters of queries: a server that logs slow or failing ones would log them in full.
# So would auto_explain, where it is loaded, also in the plans that it shows.
_QUIET = """
(values
    ('log_parameter_max_length', '0'),
    ('log_parameter_max_length_on_error', '0'),
    ('auto_explain.log_min_duration', '-1')
) as quiet (name, value)
"""
_LOG_NO_PARAMETERS = f"""
select set_config(name, value, true)
from {_QUIET}
where case when current_setting(name, true) is not null then has_parameter_privilege(current_user, name, 'set') end
"""
_SHOWING = f"select name, quote_ident(session_user) from {_QUIET} where current_setting(name, true) <> value"


def is_prepared(cursor: Cursor, table: str = "contacts") -> bool:
    """Whether a table of lgs_private is there."""
    cursor.execute(
        "select exists (select from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace "
        "where nspname = 'lgs_private' and relname = %s)",
        [table],
    )
    return cursor.fetchone() == (True,)


def may_see(cursor: Cursor) -> bool:
    """Whether the login may act as `lgs_activator`."""
    cursor.execute(
        "select exists (select from pg_roles where rolname = %s and pg_has_role(session_user, oid, 'set'))", [ACTIVATOR]
    )
    return cursor.fetchone() == (True,)


def prepare_private(warehouse: Warehouse) -> None:
    """Makes the tables of contacts, and the role and the schema if they are missing.

    Raises PermanentError if the login may neither make these nor act as the role.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_by_key(cursor, PREPARATION_LOCK, "Preparing the tables of contacts")
        if is_prepared(cursor, _LAST):
            return
        act_as(cursor, "none")
        cursor.execute(
            """
            select rolsuper or rolcreaterole,
                exists (select from pg_namespace where nspname = 'lgs_private')
                and exists (select from pg_roles where rolname = %s)
            from pg_roles where rolname = current_user
            """,
            [ACTIVATOR],
        )
        ((may_make_roles, is_there),) = cursor.fetchall()
        if not is_there:
            if not may_make_roles:
                raise PermanentError(
                    "Contacts have a schema and a role of their own: let an administrator run sql/roles.sql."
                )
            make_roles(cursor)
        with as_activator(cursor):
            execute_script(cursor, (places.SQL / "private.sql").read_text())


def log_warning(warehouse: Warehouse) -> str | None:
    """What to do so that the server's log shows no addresses; None if it shows none, whatever it is set to log."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        if not may_see(cursor):
            return None
        act_as(cursor, "none")
        cursor.execute(_LOG_NO_PARAMETERS.encode())
        cursor.execute(_SHOWING.encode())
        if not (showing := cursor.fetchall()):
            return None
    parameters = ", ".join(name for name, _ in showing)
    return (
        "Whoever reads PostgreSQL's log may see addresses, because this login may not change what it keeps. Let a "
        f"superuser run: grant set on parameter {parameters} to {showing[0][1]}"
    )


@contextmanager
def as_activator(cursor: Cursor) -> Iterator[None]:
    """Works as `lgs_activator` for the length of a block. Raises PermanentError if the login may not.

    An error of PostgreSQL in the block is told without its detail, which may quote a contact.
    """
    cursor.execute("select current_setting('role'), session_user")
    ((role, login),) = cursor.fetchall()
    if not may_see(cursor):
        raise PermanentError(
            f"The login {login} may not see contacts. Let an administrator run: grant {ACTIVATOR} to {login}"
        )
    act_as(cursor, "none")  # a superuser may do this without having been granted it
    cursor.execute(_LOG_NO_PARAMETERS.encode())
    act_as(cursor, ACTIVATOR)
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        raise LgsError(f"PostgreSQL refused contacts: {error.diag.message_primary or type(error).__name__}") from None
    act_as(cursor, role)
