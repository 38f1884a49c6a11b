"""What people build on a table and expect to keep when it is replaced: grants, and views with all that is theirs."""

from dataclasses import dataclass, field

import psycopg

from lgs_assets.errors import PermanentError
from lgs_assets.warehouse.attachments import Attachment, attach, attachments
from lgs_assets.warehouse.catalog import qualified
from lgs_assets.warehouse.schema import SCHEMA, Cursor, act_as

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
select pg_class.oid, format('%%I.%%I', nspname, relname), relkind = 'v',
    rolname::text, pg_has_role(session_user, relowner, 'set'),
    coalesce(array_to_string(reloptions, ', '), ''), pg_get_viewdef(pg_class.oid)
from (select oid, max(distance) as distance from readers group by oid) as farthest
inner join pg_class using (oid)
inner join pg_namespace on pg_namespace.oid = relnamespace
inner join pg_roles on pg_roles.oid = relowner
where distance > 0
order by distance, pg_class.oid
"""

_GRANTS = """
with rules as (
    select acl, relowner, '' as of_column
    from pg_class
    cross join aclexplode(relacl) as acl
    where pg_class.oid = %(oid)s
    union all
    select acl, relowner, format(' (%%I)', attname)
    from pg_class
    inner join pg_attribute on attrelid = pg_class.oid
    cross join aclexplode(attacl) as acl
    where pg_class.oid = %(oid)s
)
select format('grant %%s%%s on %%s to %%s%%s', (acl).privilege_type, of_column, %(name)s::text,
    case when (acl).grantee = 0 then 'public' else (acl).grantee::regrole::text end,
    case when (acl).is_grantable then ' with grant option' else '' end)
from rules
where (acl).grantee <> relowner
"""


@dataclass(frozen=True)
class Restoration:
    """A relation, the statements that restore it, and the role that runs them: views go back to their owners."""

    relation: str
    role: str
    statements: list[str]
    attached: list[Attachment] = field(default_factory=list)


def take_down(cursor: Cursor, table: str) -> list[Restoration]:
    """Drops the views on the table, and returns what restores them and all grants.

    Raises PermanentError if something could not be restored: a materialized view, a view of a role that the login may
    not act as, or one on which something else depends.
    """
    name = qualified(SCHEMA, table)
    cursor.execute("select current_setting('role'), session_user, to_regclass(%s)::oid", [name])
    ((role, login, oid),) = cursor.fetchall()
    kept = [Restoration(name, role, _grants(cursor, oid, name))]
    cursor.execute(_VIEWS, [name])
    views = cursor.fetchall()
    for view_oid, view, is_plain, owner, may_restore, options, definition in views:
        if not is_plain:
            raise PermanentError(
                f"{view} depends on {name} and is not a plain view, so the table cannot be replaced under it. "
                "Drop it, or make it a view or a table of its own."
            )
        if not may_restore:
            raise PermanentError(
                f"The view {view} depends on {name} and belongs to {owner}. {login} may not act as that role, so could "
                f"not restore it when the table is replaced. Have an administrator run: grant {owner} to {login}"
            )
        create = f"create view {view}{f' with ({options})' if options else ''} as {definition}"
        kept.append(Restoration(view, owner, [create, *_grants(cursor, view_oid, view)], attachments(cursor, view_oid)))
    for _, view, _, owner, *_ in reversed(views):
        act_as(cursor, owner)
        drop(cursor, "view", view)
    act_as(cursor, role)
    return kept


def put_back(cursor: Cursor, kept: list[Restoration]) -> list[str]:
    """Restores what `take_down` took down. Returns the small things that could not be restored, one line each.

    Raises PermanentError if a view does not fit the new table.
    """
    lost = []
    for restoration in kept:
        act_as(cursor, restoration.role)
        try:
            for statement in restoration.statements:
                cursor.execute(statement.encode())
        except (psycopg.ProgrammingError, psycopg.DataError) as error:
            raise PermanentError(
                f"{kept[0].relation} cannot be replaced: {restoration.relation} could not be restored afterwards: "
                f"{error.diag.message_primary}. Change it, or drop it."
            ) from error
        unkept = attach(cursor, restoration.relation, restoration.attached)
        lost += [f"{restoration.relation}: {line}" for line in unkept]
    act_as(cursor, kept[0].role)
    return lost


def drop(cursor: Cursor, kind: str, relation: str) -> None:
    """Drops a table or a view. Raises PermanentError, naming what depends on it."""
    try:
        cursor.execute(f"drop {kind} {relation}".encode())
    except psycopg.errors.DependentObjectsStillExist as error:
        dependents = "; ".join((error.diag.message_detail or "").splitlines())
        raise PermanentError(
            f"{relation} cannot be replaced: {dependents}, and would be lost with it. Drop what depends on it."
        ) from error


def _grants(cursor: Cursor, oid: int, name: str) -> list[str]:
    cursor.execute(_GRANTS, {"oid": oid, "name": name})
    return [statement for (statement,) in cursor]
