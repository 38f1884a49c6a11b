"""What is attached to a table or a view besides its rows: comments, defaults, indexes, triggers, rules, policies.

A table that is replaced gets back what people have attached to it: everything but what its contract attached, as
recorded in `made_with` in the table `publications`.
"""

from collections.abc import Iterable
from typing import NamedTuple

import psycopg

from lgs_assets.warehouse.catalog import oid
from lgs_assets.warehouse.schema import SCHEMA, Cursor, act_as

# For each, what people call it, and the two halves of the statement that attaches it again, which go around the table's
# name. What cannot be attached to a table rebuilt from its contract has no statement.
_ATTACHMENTS = """
with this as (
    select pg_class.*, relkind in ('r', 'p') as is_table, nspname, format('%%I.%%I', nspname, relname) as name
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = %(oid)s
),
columns as (
    select pg_attribute.*, format(' alter column %%I set ', attname) as altered, typstorage
    from this
    inner join pg_attribute on attrelid = this.oid and attnum > 0 and not attisdropped
    inner join pg_type on pg_type.oid = atttypid
),
parts as (
    select 'pg_constraint'::regclass as catalog, pg_constraint.oid, 'constraint' as kind, conname as called
    from this inner join pg_constraint on conrelid = this.oid
    union all
    select 'pg_trigger'::regclass, pg_trigger.oid, 'trigger', tgname
    from this inner join pg_trigger on tgrelid = this.oid where not tgisinternal
    union all
    select 'pg_rewrite'::regclass, pg_rewrite.oid, 'rule', rulename
    from this inner join pg_rewrite on ev_class = this.oid where rulename <> '_RETURN'
    union all
    select 'pg_policy'::regclass, pg_policy.oid, 'policy', polname
    from this inner join pg_policy on polrelid = this.oid
),
attachments (place, what, head, tail) as (
    select 0, format('the column %%I', attname), null, null from this, columns where is_table
    union all
    select 0, 'the owner ' || relowner::regrole, null, null from this where is_table
    union all
    select 0, 'its being unlogged', null, null from this where relpersistence = 'u'
    union all
    select 0, format('the tablespace %%I', spcname), null, null
    from this inner join pg_tablespace on pg_tablespace.oid = reltablespace
    union all
    select 0, 'the inheritance from ' || inhparent::regclass, null, null
    from this inner join pg_inherits on inhrelid = this.oid

    union all
    select 1, format('the index %%I', pg_class.relname),
        format('create %%sindex %%I on ', made, pg_class.relname),
        substr(pg_get_indexdef(indexrelid),
            length(format('create %%sindex %%I on %%s', made, pg_class.relname, name)) + 1)
    from this
    inner join pg_index on indrelid = this.oid
    inner join pg_class on pg_class.oid = indexrelid
    cross join lateral (select case when indisunique then 'unique ' else '' end) as uniqueness (made)
    where not exists (select from pg_constraint where conindid = indexrelid and conrelid = this.oid)
    union all
    select 1, format('the constraint %%I', conname), 'alter table ',
        format(' add constraint %%I %%s', conname, pg_get_constraintdef(pg_constraint.oid))
    from this inner join pg_constraint on conrelid = this.oid and contype in ('c', 'f', 'p', 'u', 'x')
    union all
    select 1, format('the NOT NULL of %%I', attname), 'alter table ', format(' alter column %%I set not null', attname)
    from columns where attnotnull

    union all
    select 2, 'the storage parameters', 'alter table ', format(' set (%%s)', array_to_string(reloptions, ', '))
    from this where is_table and reloptions is not null
    union all
    select 2, 'the storage parameters of long values', 'alter table ',
        format(' set (toast.%%s)', array_to_string(toast.reloptions, ', toast.'))
    from this inner join pg_class as toast on toast.oid = this.reltoastrelid and toast.reloptions is not null
    union all
    select 2, 'the order of rows', 'alter table ', format(' cluster on %%I', pg_class.relname)
    from this
    inner join pg_index on indrelid = this.oid and indisclustered
    inner join pg_class on pg_class.oid = indexrelid
    union all
    select 2, 'row level security', 'alter table ', ' enable row level security' from this where relrowsecurity
    union all
    select 2, 'row level security', 'alter table ', ' force row level security' from this where relforcerowsecurity
    union all
    select 2, 'the replica identity', 'alter table ', ' replica identity full' from this where relreplident = 'f'
    union all
    select 2, 'the replica identity', 'alter table ', format(' replica identity using index %%I', pg_class.relname)
    from this
    inner join pg_index on indrelid = this.oid and indisreplident
    inner join pg_class on pg_class.oid = indexrelid
    union all
    select 2, format('the default of %%I', attname), 'alter table ',
        format('%%sdefault %%s', altered, pg_get_expr(adbin, adrelid))
    from columns inner join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attgenerated = '' and attidentity = ''
    union all
    select 2, format('the statistics target of %%I', attname), 'alter table ',
        format('%%sstatistics %%s', altered, attstattarget)
    from columns where attstattarget >= 0
    union all
    select 2, format('the options of %%I', attname), 'alter table ',
        format('%%s(%%s)', altered, array_to_string(attoptions, ', '))
    from columns where attoptions is not null
    union all
    select 2, format('the storage of %%I', attname), 'alter table ', format('%%sstorage %%s', altered,
        case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end)
    from this, columns where is_table and attstorage <> typstorage
    union all
    select 2, format('the compression of %%I', attname), 'alter table ', format('%%scompression %%s', altered,
        case attcompression when 'l' then 'lz4' else 'pglz' end)
    from columns where attcompression <> ''
    union all
    select 2, format('the statistics %%I', stxname), left(definition, -length(this.oid::regclass::text)), ''
    from this
    inner join pg_statistic_ext on stxrelid = this.oid
    cross join lateral (
        select pg_get_statisticsobjdef(pg_statistic_ext.oid)
    ) as statistics (definition)

    union all
    select 3, format('the trigger %%I', tgname), pg_get_triggerdef(pg_trigger.oid), null
    from this inner join pg_trigger on tgrelid = this.oid where not tgisinternal
    union all
    select 3, format('the rule %%I', rulename), pg_get_ruledef(pg_rewrite.oid), null
    from this inner join pg_rewrite on ev_class = this.oid where rulename <> '_RETURN'
    union all
    select 3, format('the policy %%I', policyname), format('create policy %%I on ', policyname),
        format(' as %%s for %%s to %%s', permissive, cmd,
            (select string_agg(case role when 'public' then 'public' else quote_ident(role) end, ', ')
            from unnest(roles) as role))
        || coalesce(' using (' || qual || ')', '') || coalesce(' with check (' || with_check || ')', '')
    from this inner join pg_policies on schemaname = nspname and tablename = relname
    union all
    select 3, format('the place in the publication %%I', pubname), format('alter publication %%I add table ', pubname),
        coalesce((
            select ' (' || string_agg(quote_ident(attname), ', ' order by attnum) || ')'
            from columns where attnum = any (prattrs)
        ), '') || coalesce(' where (' || pg_get_expr(prqual, prrelid) || ')', '')
    from this
    inner join pg_publication_rel on prrelid = this.oid
    inner join pg_publication on pg_publication.oid = prpubid

    union all
    select 4, format('the state of the trigger %%I', tgname), 'alter table ',
        format(case tgenabled
            when 'D' then ' disable trigger %%I' when 'R' then ' enable replica trigger %%I'
            else ' enable always trigger %%I' end, tgname)
    from this inner join pg_trigger on tgrelid = this.oid where not tgisinternal and tgenabled <> 'O'
    union all
    select 4, format('the state of the rule %%I', rulename), 'alter table ',
        format(case ev_enabled
            when 'D' then ' disable rule %%I' when 'R' then ' enable replica rule %%I'
            else ' enable always rule %%I' end, rulename)
    from this inner join pg_rewrite on ev_class = this.oid where rulename <> '_RETURN' and ev_enabled <> 'O'
    union all
    select 4, 'the comment', format('comment on %%s ', case when is_table then 'table' else 'view' end),
        format(' is %%L', description)
    from this
    inner join pg_description on classoid = 'pg_class'::regclass and objoid = this.oid and objsubid = 0
    union all
    select 4, format('the comment on %%I', attname), 'comment on column ', format('.%%I is %%L', attname, description)
    from columns
    inner join pg_description on classoid = 'pg_class'::regclass and objoid = attrelid and objsubid = attnum
    union all
    select 4, format('the comment on the %%s %%I', kind, called), format('comment on %%s %%I on ', kind, called),
        format(' is %%L', description)
    from parts inner join pg_description on classoid = catalog and objoid = parts.oid
    union all
    select 4, format('the comment on the index %%I', pg_class.relname),
        format('comment on index %%I.%%I is %%L', %(schema)s::text, pg_class.relname, description), null
    from this
    inner join pg_index on indrelid = this.oid
    inner join pg_class on pg_class.oid = indexrelid
    inner join pg_description on classoid = 'pg_class'::regclass and objoid = indexrelid
    union all
    select 4, format('the comment on the statistics %%I', stxname),
        format('comment on statistics %%s.%%I is %%L', stxnamespace::regnamespace, stxname, description), null
    from this
    inner join pg_statistic_ext on stxrelid = this.oid
    inner join pg_description on classoid = 'pg_statistic_ext'::regclass and objoid = pg_statistic_ext.oid
    union all
    select 4, 'the security label',
        format('security label for %%I on %%s ', provider, case when is_table then 'table' else 'view' end),
        format(' is %%L', label)
    from this inner join pg_seclabel on classoid = 'pg_class'::regclass and objoid = this.oid and objsubid = 0
)
select place, what, head, tail from attachments order by place, what, head, tail
"""


class Attachment(NamedTuple):
    """One of them."""

    place: int
    """Its place in the order in which they are attached again."""
    what: str
    head: str | None
    """The statement that attaches it, up to the table's name; None if there is no such statement."""
    tail: str | None
    """The statement after the table's name; None if `head` already names the table."""

    @property
    def key(self) -> str:
        """Identifies it, on this table and on the one that takes its place."""
        return self.what if self.head is None else f"{self.head}{self.tail or ''}"

    @property
    def is_of_rows(self) -> bool:
        """Whether it can be attached only if the rows allow it, which takes time to find out."""
        return self.place == 1


def attachments(cursor: Cursor, oid: int | None) -> list[Attachment]:
    """What is attached to a table or a view, in an order in which it can be attached again; empty if there is none."""
    # Planned once a transaction: planning takes several times as long as running.
    cursor.execute("set local plan_cache_mode = force_generic_plan")
    cursor.execute(_ATTACHMENTS, {"oid": oid, "schema": SCHEMA}, prepare=True)
    return [Attachment(*row) for row in cursor]


def attached_by_people(cursor: Cursor, table: str) -> list[Attachment]:
    """What people have attached to a table of the lineage; empty if it is not known what the table was made with."""
    cursor.execute("select made_with from publications where table_name = %s and made_with is not null", [table])
    if not (record := cursor.fetchone()):
        return []
    return [one for one in attachments(cursor, oid(cursor, SCHEMA, table)) if one.key not in record[0]]


def attach(cursor: Cursor, relation: str, wanted: Iterable[Attachment]) -> list[str]:
    """Attaches to a relation what another one had. Returns what could not be attached, one line each."""
    reasons = ((one, _obstacle(cursor, relation, one)) for one in wanted)
    return [f"{one.what} {reason}" for one, reason in reasons if reason]


def _obstacle(cursor: Cursor, relation: str, one: Attachment) -> str | None:
    """Attaches it. Returns why that is impossible; None if it is done."""
    if one.head is None:
        return "is not kept when the table is rebuilt: it belongs in its contract"
    statement = one.head if one.tail is None else f"{one.head}{relation}{one.tail}"
    cursor.execute("select current_setting('role')")
    ((role,),) = cursor.fetchall()
    reason = None
    # The login may attach what the owner of its tables may not. But anything that may run people's own functions, as
    # those of rows may, never gets the login's rights.
    for who in (role,) if one.is_of_rows else ("none", role):
        try:
            with cursor.connection.transaction():
                act_as(cursor, who)
                cursor.execute(statement.encode())
                act_as(cursor, role)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            reason = reason or f"could not be kept: {error.diag.message_primary}"
        else:
            return None
    return reason
