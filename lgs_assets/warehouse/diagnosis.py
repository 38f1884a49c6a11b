"""Why rows were refused: from PostgreSQL's error to the table, the column, the rule and a few offending rows."""

from collections.abc import Callable, Iterable, Mapping

import psycopg
from psycopg import sql

from lgs_assets.warehouse.catalog import Constraint, columns, constraint, qualified
from lgs_assets.warehouse.schema import STAGING, Cursor
from lgs_assets.wording import counted

SHOWN_ROWS = 5
_UNJUDGED = sql.Identifier("pg_temp", "unjudged")


def explain(cursor: Cursor, table: str, error: psycopg.Error, fill: Callable[[Cursor, sql.Identifier], None]) -> str:
    """Says which rule of the contract the rows of `fill` break, and shows the first few of them.

    To find them, the rows are written again, into a table without rules.
    """
    diagnostics = error.diag
    if diagnostics.constraint_name:
        rule = constraint(cursor, STAGING, table, diagnostics.constraint_name)
        where = ", ".join(rule.columns)
        offending = _offending(rule)
        stated = rule.definition
    elif diagnostics.column_name:
        where, stated = diagnostics.column_name, "NOT NULL"
        offending = sql.SQL("select * from {} where {} is null").format(_UNJUDGED, sql.Identifier(where))
    else:  # a value that is not of the column's type: PostgreSQL's own words name line, column and value
        return f"{table}: {diagnostics.message_primary}" + (f" ({diagnostics.context})" if diagnostics.context else "")
    if isinstance(error, psycopg.errors.ExclusionViolation):
        return f"{table}, column {where}: two rows break the rule {stated}. {diagnostics.message_detail}"
    _fill_unjudged(cursor, table, fill)
    cursor.execute(sql.SQL("select count(*) from ({}) as offending").format(offending))
    ((count,),) = cursor.fetchall()
    cursor.execute(sql.SQL("select * from ({}) as offending order by offending limit {}").format(offending, SHOWN_ROWS))
    names = [column.name for column in cursor.description or ()]
    return violation(table, where, stated, count, [dict(zip(names, row, strict=True)) for row in cursor])


def violation(table: str, columns: str, rule: str, count: int, rows: Iterable[Mapping[str, object]]) -> str:
    """That so many rows break a rule of their table's contract, and the first of them."""
    broken = f"{counted(count, 'row')} {'breaks' if count == 1 else 'break'} the rule {rule}"
    shown = "\n".join("  " + ", ".join(f"{name}={value!s}" for name, value in row.items()) for row in rows)
    return f"{table}, column {columns}: {broken}, among them\n{shown}"


def _offending(rule: Constraint) -> sql.Composable:
    names = sql.SQL(", ").join(map(sql.Identifier, rule.columns))
    if rule.kind == "c":
        condition = sql.SQL(rule.definition.removeprefix("CHECK "))
        return sql.SQL("select * from {} where not {}").format(_UNJUDGED, condition)
    if rule.kind in "pu":
        return sql.SQL(
            "select * from {0} where ({1}) in (select {1} from {0} group by {1} having count(*) > 1)"
        ).format(_UNJUDGED, names)
    return sql.SQL("select * from {}").format(_UNJUDGED)


def _fill_unjudged(cursor: Cursor, table: str, fill: Callable[[Cursor, sql.Identifier], None]) -> None:
    staged = sql.SQL(qualified(STAGING, table))
    cursor.execute(sql.SQL("create temp table unjudged (like {}) on commit drop").format(staged))
    for column in columns(cursor, STAGING, table):
        if not column.nullable:
            cursor.execute(
                sql.SQL("alter table {} alter column {} drop not null").format(_UNJUDGED, sql.Identifier(column.name))
            )
    fill(cursor, _UNJUDGED)
