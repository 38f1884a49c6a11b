"""What people hang on a table and expect to find after it was replaced: grants and views."""

from psycopg import sql

from lgs_assets.errors import ServerError
from lgs_assets.warehouse.contract import qualified
from lgs_assets.warehouse.database import SCHEMA, Cursor

# The views that read a table, directly or through others, nearest first.
_VIEWS = """
with recursive readers as (
    select to_regclass(%s)::oid as oid, 0 as distance
    union
    select pg_rewrite.ev_class, readers.distance + 1
    from readers
    inner join pg_depend on pg_depend.refobjid = readers.oid
        and pg_depend.refclassid = 'pg_class'::regclass and pg_depend.classid = 'pg_rewrite'::regclass
    inner join pg_rewrite on pg_rewrite.oid = pg_depend.objid and pg_rewrite.ev_class <> readers.oid
)
select pg_class.oid, relnamespace::regnamespace::text, relname::text, relkind::text, relowner::regrole::text,
    coalesce(array_to_string(reloptions, ', '), ''), pg_get_viewdef(pg_class.oid)
from (select oid, max(distance) as distance from readers group by oid) as farthest
inner join pg_class using (oid)
where distance > 0
order by distance, pg_class.oid
"""

_GRANTS = """
select format('grant %%s on %%s to %%s%%s', privilege_type, %(name)s::text,
    case when grantee = 0 then 'public' else grantee::regrole::text end,
    case when is_grantable then ' with grant option' else '' end)
from pg_class, aclexplode(relacl)
where oid = to_regclass(%(name)s) and grantee <> relowner
"""


def take_down(cursor: Cursor, table: str) -> list[str]:
    """Drops the views on the table, and returns the statements that restore them and all grants.

    Raises ServerError for a materialized view or anything else that a statement cannot restore.
    """
    name = qualified(SCHEMA, table)
    restore = _grants(cursor, name)
    cursor.execute(_VIEWS, [name])
    views = cursor.fetchall()
    for _, schema, view, kind, owner, options, definition in views:
        full_name = qualified(schema, view)
        if kind != "v":
            raise ServerError(
                f"{full_name} depends on {name} and is not a plain view, so the table cannot be replaced under it. "
                "Drop it, or make it a view or a table of its own."
            )
        with_options = f" with ({options})" if options else ""
        restore.append(f"create view {full_name}{with_options} as {definition}")
        restore.append(f"alter view {full_name} owner to {owner}")
        restore += _grants(cursor, full_name)
    for _, schema, view, *_ in reversed(views):
        cursor.execute(sql.SQL("drop view {}").format(sql.Identifier(schema, view)))
    return restore


def put_back(cursor: Cursor, statements: list[str]) -> None:
    """Restores what `take_down` took down."""
    for statement in statements:
        cursor.execute(statement.encode())


def _grants(cursor: Cursor, name: str) -> list[str]:
    cursor.execute(_GRANTS, {"name": name})
    return [statement for (statement,) in cursor]
