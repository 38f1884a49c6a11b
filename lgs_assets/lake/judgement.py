"""Checks a contract without a database: an engine looks for the rows that break its rules and keys."""

from lgs_assets.contracts.declaration import Rule, keys, primary_key, rules
from lgs_assets.errors import ContractError
from lgs_assets.lake.engine import Engine, Source
from lgs_assets.warehouse.diagnosis import SHOWN_ROWS, violation


def judge(engine: Engine, table: str, source: Source) -> None:
    """Raises ContractError, with the rule, the number of rows and some of them, if rows break the table's contract."""
    inputs, stated = {table: source}, rules(table)
    counts = ", ".join(f"count(case when {rule.broken} then 1 end) as rule_{i}" for i, rule in enumerate(stated))
    (broken,) = engine.rows(f"select {counts} from {table}", inputs, {}).to_pylist()
    for rule, count in zip(stated, broken.values(), strict=True):
        if count:
            _refuse(engine, table, source, rule, int(count))
    for key in keys(table):
        names = ", ".join(key)
        known = " and ".join(f"{name} is not null" for name in key)  # as in SQL, NULLs repeat nothing
        repeated = f"select {names} from {table} where {known} group by {names} having count(*) > 1"
        (found,) = engine.rows(f"select count(*) as found from ({repeated}) as repeated", inputs, {}).to_pylist()
        if found["found"]:
            rule = Rule(f"UNIQUE ({names})", key, f"({names}) in ({repeated})")
            _refuse(engine, table, source, rule, int(found["found"]))


def _refuse(engine: Engine, table: str, source: Source, rule: Rule, count: int) -> None:
    key = ", ".join(primary_key(table))
    select = f"select * from {table} where {rule.broken} order by {key} limit {SHOWN_ROWS}"
    examples = engine.rows(select, {table: source}, {}).to_pylist()
    raise ContractError(violation(table, ", ".join(rule.columns), rule.stated, count, examples))
