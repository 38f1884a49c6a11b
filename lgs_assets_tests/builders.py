"""Small dumps and warehouses, built from what a test says of them."""

import atexit
import gzip
import json
from collections.abc import Callable, Iterable, Set
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import cache
from graphlib import TopologicalSorter
from hashlib import sha256
from inspect import signature
from pathlib import Path
from typing import Any, Protocol

import dagster as dg
import pandas as pd
import sqlalchemy as sa

from lgs_assets import definitions
from lgs_assets.assets.customers import PLAYBOOK
from lgs_assets.checks import ALL_CHECKS
from lgs_assets.configuration import Configuration, Settings
from lgs_assets.contracts.contract import contract
from lgs_assets.contracts.declaration import declared_types
from lgs_assets.contracts.model import InvoiceModel, Model, Relation
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame, read_frame
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.warehouse.schema import driver_cursor, execute_script
from lgs_assets.warehouse.tables import PostgresTables, Tables
from lgs_assets.wiring import lineage
from lgs_assets.wiring.computation import Computation
from lgs_assets.wiring.lineage import ASSETS, models
from lgs_assets.wiring.resources import Resources, RunSettings

UNVERSIONED = Provenance("0" * 64, "0" * 64, {})

DERIVED = [asset.key.path[-1] for asset in ASSETS if asset.key.path != ["raw_invoices"]]
"""Everything the lineage builds from the lines: every asset but the lines themselves."""
MODELS = models()
"""The model of each table that a SELECT makes, in an order in which they can be built."""
REPORT = {asset.key.path[-1] for asset in ASSETS if set(asset.group_names_by_key.values()) == {"report"}}
"""The charts and the printed reports, which show what the other tables hold."""
BY_PYTHON = {
    asset.key.path[-1]: asset for asset in ASSETS if asset.key.path[-1] not in {"raw_invoices", *MODELS, *REPORT}
}
"""The asset of each other table but these: their work is Python's."""
FITTED = {
    table
    for table, asset in BY_PYTHON.items()
    if not any("invoice_no" in declared_types()[key.path[-1]] for key in asset.dependency_keys)
}
"""Of these, the tables that are made of no table of lines or invoices: most hold models that are fitted."""
TABLES = [
    table
    for table in TopologicalSorter(
        {asset.key.path[-1]: [key.path[-1] for key in asset.dependency_keys] for asset in ASSETS}
    ).static_order()
    if table in MODELS or table in BY_PYTHON
]
"""All of these, in an order in which they can be built."""
SOURCES = {table: made.source for table, made in MODELS.items() if isinstance(made, InvoiceModel)}
"""The table of lines behind each table that is refreshed invoice by invoice."""


def sources(table: str) -> set[str]:
    """A table, and those that it is built from, directly or through others."""
    (asset,) = (asset for asset in ASSETS if asset.key.path[-1] == table)
    return {table}.union(*(sources(key.path[-1]) for key in asset.dependency_keys))


def built_for(*tables: str) -> list[str]:
    """The tables, and those that they are built from, in an order in which they can be built."""
    needed = set[str]().union(*map(sources, tables))
    return [table for table in TABLES if table in needed]


def in_group(*groups: str) -> list[str]:
    """The tables of these groups of assets, in an order in which they can be built."""
    found = {asset.key.path[-1] for asset in ASSETS if not set(groups).isdisjoint(asset.group_names_by_key.values())}
    return [table for table in TABLES if table in found]


FEW = sources("segment_summary")
"""What the segments are made of: a tenth of the lineage. See `leave_few_tables`."""


class MakeDatabase(Protocol):
    """Makes a database on the session's server and returns its URL: an empty one, or the copy of another."""

    def __call__(self, *, template: str = ...) -> str: ...


@dataclass(frozen=True)
class Line:
    """One invoice line; a test names only what it is about."""

    invoice_no: str = "500001"
    stock_code: str = "22041"
    description: str | None = "FELT ROBIN"
    quantity: int | str = 1
    invoice_date: str = "2011-03-04 10:00:00"
    unit_price: str = "1.00"
    customer_id: int | str | None = 17001
    country: str = "United Kingdom"


# Lines of which every check holds: twenty customers, who bought in one to three months.
SHOP = [
    Line(f"{customer}-{number}", customer_id=customer, invoice_date=f"2011-{3 + number:02}-{customer - 100:02} 10:00")
    for customer in range(101, 121)
    for number in range(1 + customer % 3)
]


def write_dump(path: Path, lines: Iterable[Line]) -> Path:
    """Writes the lines as the retailer's SQL dump; in gzip if the name says so."""
    rows = "".join("\t".join("\\N" if v is None else str(v) for v in astuple(line)) + "\n" for line in lines)
    columns = ", ".join(Line.__dataclass_fields__)
    script = f"COPY public.retail ({columns}) FROM stdin;\n{rows}\\.\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(script, mtime=0) if path.suffix == ".gz" else script)
    return path


def build_tables(where: Warehouse | Tables, *tables: str, **settings: Any) -> None:
    """Builds the named derived tables, or all but the charts, from raw_invoices."""
    store = PostgresTables(where) if isinstance(where, Warehouse) else where
    recorded = Settings(**settings).model_dump(include=set(settings))
    rules = sha256(json.dumps(recorded, sort_keys=True).encode()).hexdigest()
    provenance = Provenance(UNVERSIONED.version, rules, recorded)
    if tables and "segment_playbook" not in tables:
        store.publish_frame("segment_playbook", pd.read_csv(PLAYBOOK), provenance)
    for table in tables or TABLES:
        if table in MODELS:
            store.publish_model(table, model(table, **settings), provenance)
        else:
            made = made_by_python(store, table, settings)
            store.publish_frame(table, made.frame if isinstance(made, Computation) else made, provenance)


def take_over_fitted(warehouse: Warehouse, other: Warehouse) -> None:
    """Gives a warehouse the fitted tables that models read, as another one holds them: to fit them takes long."""
    for table in FITTED & set[str]().union(*(made.reads for made in MODELS.values())):
        publish_frame(warehouse, table, read_frame(other, table), UNVERSIONED)


def expect_sales(warehouse: Warehouse, **settings: Any) -> None:
    """Has the customers and months of a small shop expect sales, as those of a large one do, and earn with them.

    There are costs of its products then, and rows in `margins` and `expected_margins`.
    """
    build_tables(warehouse, "margins", **settings)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(
            """
            insert into forecasts
            select kind, series, 'month', 3, '2012-02-01', 1, '2012-02-01', 'a method', 100.01, 80.5, 120, 70, 130, null
            from (
                select 'total' as kind, 'All sales' as series
                union all
                select 'country', country from countries
            ) as asked
            on conflict do nothing
            """
        )
        connection.exec_driver_sql(
            """
            insert into customer_value
            select
                customer_id, 90, '2012-02-01', 'a model', null, 0, 1, 2, 5, 10.01, 20, 33, 43.01,
                row_number() over (order by customer_id), 1
            from customer_profile
            on conflict do nothing
            """
        )
    build_tables(warehouse, "expected_margins", **settings)


def make_empty(warehouse: Warehouse, *tables: str) -> None:
    """Makes the named tables without rows, for tests of what reads them."""
    with warehouse.transaction() as connection:
        for table in tables:
            execute_script(driver_cursor(connection), contract(table))


@cache
def _context() -> dg.AssetExecutionContext:
    """For calls of assets: without one, Dagster would set up an instance with its databases for each."""
    stack = ExitStack()
    atexit.register(stack.close)
    context: dg.AssetExecutionContext = stack.enter_context(dg.build_asset_context())
    return context


def made_by_python(store: Tables, table: str, settings: dict[str, Any]) -> pd.DataFrame | Computation:
    """What the asset of a table returns, of its inputs as they are."""
    asset = BY_PYTHON[table]
    resources = {
        "warehouse": store.warehouse,
        "settings": RunSettings(**settings),
        "state": Configuration.read().state,
    }
    inputs: dict[str, Any] = {name: resources[name] for name in asset.required_resource_keys & resources.keys()}
    for name in asset.keys_by_input_name:
        if asset.node_def.input_def_named(name).dagster_type.typing_type is Relation:
            inputs[name] = Relation(name)
            continue
        inputs[name] = store.read_frame(name, asset.node_def.input_def_named(name).metadata.get("columns"))
        inputs[name].attrs |= {"table": name, "version": UNVERSIONED.version}
    compute: Any = asset.op.compute_fn
    function = compute.decorated_fn
    # An asset that wants no context is called itself: Dagster would set up an instance with its databases for it.
    made = asset(_context(), **inputs) if "context" in signature(function).parameters else function(**inputs)
    assert isinstance(made, pd.DataFrame | Computation)
    return made


def model(table: str, **settings: Any) -> Model:
    """The model of a table, as its asset returns it, with these settings and the defaults of the others."""
    return MODELS[table].bound_to(Settings(**settings).values())


def followers(table: str) -> set[str]:
    """The tables that are built from a table, directly or through others."""
    direct = {asset.key.path[-1] for asset in ASSETS if dg.AssetKey(table) in asset.dependency_keys}
    return direct.union(*map(followers, direct))


def leave_few_tables(patch: Callable[[Any, str, Any], None] = setattr, *, tables: Set[str] = FEW) -> None:
    """Leaves these tables of the lineage, with their checks, in what the platform builds from now on."""
    for module in (definitions, lineage):
        patch(module, "ASSETS", [asset for asset in ASSETS if asset.key.path[-1] in tables])
    patch(
        definitions,
        "ALL_CHECKS",
        [checks for checks in ALL_CHECKS if {key.asset_key.path[-1] for key in checks.check_keys} <= tables],
    )


def resources() -> Resources:
    """The resources of the environment as it is now."""
    return Resources.of(Configuration.read())


def values(row: sa.RowMapping) -> tuple[Any, ...]:
    """The values of a row, in the order of its columns."""
    return tuple(dict(row).values())


def dump_file(folder: Path, lines: Iterable[Line], *, name: str, written_at: str | None = None) -> DumpFile:
    """The lines as a dump of that name, written at that moment."""
    moment = datetime.fromisoformat(written_at).replace(tzinfo=UTC) if written_at else None
    return DumpFile(write_dump(folder / name, lines), name, written_at=moment)


def load_lines(
    warehouse: Warehouse,
    folder: Path,
    lines: Iterable[Line],
    *,
    name: str = "retail.sql",
    written_at: str | None = None,
) -> None:
    """Loads the lines as a dump of that name, written at that moment."""
    load_dump(warehouse, dump_file(folder, lines, name=name, written_at=written_at))
