"""What a table was built from, as one hash: it shows what is up to date without building anything."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from lgs_assets import places
from lgs_assets.configuration import Settings
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.contracts.model import Model, Relation, model_path, parameters_of
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump, loaded_dumps
from lgs_assets.warehouse.tables import PostgresTables, Tables
from lgs_assets.wiring.computation import Computation
from lgs_assets.wiring.reached_code import reached_code

_CODE = places.ROOT / "lgs_assets"
SETTINGS = "settings"
"""The metadata of an asset in which it names the settings that its function reads."""


def code_version(table: str, *sources: Path, function: Callable[..., Any] | None = None) -> str:
    """The version of the code that builds a table: its contract and model, the code its function reaches, other files.

    Raises FileNotFoundError for a file or folder that does not exist.
    """
    own = [places.SQL / "tables" / f"{table}.sql"]
    if model_path(table).exists():
        own.append(model_path(table))
    text, reached = reached_code(function) if function else ("", set())
    files = {file for source in (*own, *sources) for file in (source.glob("*.py") if source.is_dir() else [source])}
    digest = sha256(text.encode())
    for file in sorted(files | reached):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


_SOURCES = (_CODE / "sources", _CODE / "warehouse" / "loading.py")
READER = code_version(RAW_INVOICES, *_SOURCES)
"""The version of the code that reads dumps."""
READER_INTO_LAKE = code_version(RAW_INVOICES, *_SOURCES, _CODE / "lake" / "landing.py")
"""A different one, so that dumps are read again when lines move to another store."""


def reader(tables: Tables) -> str:
    """The version of the code that reads dumps into the store of their lines."""
    return READER if isinstance(tables, PostgresTables) else READER_INTO_LAKE


def version_of_dumps(dumps: Iterable[LoadedDump]) -> str:
    """The version of raw_invoices: which contents it holds, oldest first, and how they were read."""
    return _hash([[dump.dump, dump.sha256, dump.reader, dump.facts.get("dates")] for dump in dumps])


def settings_read(spec: dg.AssetSpec) -> set[str]:
    """The settings that a table's model binds or its asset names: no others can change its content."""
    model = model_path(spec.key.path[-1])
    return {*spec.metadata.get(SETTINGS, ()), *(parameters_of(model.read_text()) if model.exists() else ())}


def recorded_settings(spec: dg.AssetSpec, settings: Settings) -> dict[str, Any]:
    """The settings that a table depends on, by name, as they are recorded."""
    return settings.model_dump(include=settings_read(spec))


def version_of(spec: dg.AssetSpec, settings: Settings, inputs: Mapping[str, str]) -> str:
    """The version of any other table: its code, the settings that it reads, and the versions of its inputs."""
    return _hash([spec.code_version, recorded_settings(spec, settings), sorted(inputs.items())])


def rules_of(spec: dg.AssetSpec, settings: Settings) -> str:
    """The version of everything but the inputs of any other table: its code and the settings that it reads."""
    return version_of(spec, settings, {})


def tables_read(spec: dg.AssetSpec) -> list[str]:
    """The tables that an asset is built from."""
    return [dep.asset_key.path[-1] for dep in spec.deps]


def built_from(made: pd.DataFrame | Computation, inputs: Iterable[object]) -> pd.DataFrame | Computation:
    """What an asset has made of its inputs, with the versions of the tables among them."""
    read = {value.name: value.version for value in inputs if isinstance(value, Relation)}
    read |= {value.attrs["table"]: value.attrs["version"] for value in inputs if isinstance(value, pd.DataFrame)}
    if isinstance(made, Computation):
        return replace(made, built_from=read)
    made.attrs = {"built_from": read}
    return made


def versions_read(spec: dg.AssetSpec, made: Model | pd.DataFrame | Computation) -> dict[str, str]:
    """The version of each table that an asset was built from, as it was when it was handed over."""
    match made:
        case Model():
            known: Mapping[str, str] = {relation.name: relation.version for relation in made.inputs}
        case Computation():
            known = made.built_from
        case _:
            known = made.attrs["built_from"]
    if missing := [table for table in tables_read(spec) if table not in known]:
        raise LgsError(f"{spec.key.path[-1]} is given {', '.join(missing)}, which its model does not name.")
    return {table: known[table] for table in tables_read(spec)}


def published_versions(warehouse: Warehouse) -> dict[str, str]:
    """The version that each table of the warehouse has now."""
    rows = warehouse.rows("select table_name, version from publications")
    return {RAW_INVOICES: version_of_dumps(loaded_dumps(warehouse))} | {row.table_name: row.version for row in rows}


def published_version(warehouse: Warehouse, table: str) -> str:
    """The version that a table of the warehouse has now; empty if it is not there."""
    if table == RAW_INVOICES:
        return version_of_dumps(loaded_dumps(warehouse))
    rows = warehouse.rows("select version from publications where table_name = :table", table=table)
    return str(rows[0].version) if rows else ""


def read_frame(
    tables: Tables, table: str, only: Sequence[str] | None = None, *, dumps: Sequence[str] | None = None
) -> pd.DataFrame:
    """The rows of a table, as `Tables.read_frame` reads them; the name and the version of the table go with them."""
    # Noted before the rows are read: if the table is replaced meanwhile, what is built from it counts as outdated.
    version = published_version(tables.warehouse, table)
    frame = tables.read_frame(table, only, dumps=dumps)
    frame.attrs |= {"table": table, "version": version}
    return frame


def settings_of(warehouse: Warehouse, table: str) -> Settings:
    """The settings that a table was built with; defaults for those that it does not depend on."""
    rows = warehouse.rows("select settings from publications where table_name = :table", table=table)
    return Settings(**rows[0].settings) if rows else Settings()


def settings_used(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """The settings that each table was built with, by table and name; tables that depend on none are left out."""
    rows = warehouse.rows("select table_name, settings from publications order by table_name")
    used = {row.table_name: row.settings for row in rows if row.settings}
    return {table: Settings(**settings).model_dump(include=set(settings)) for table, settings in used.items()}


def in_order(specs: Iterable[dg.AssetSpec]) -> list[str]:
    """The tables of the lineage, each after those that it is built from; otherwise in alphabetical order."""
    reads = {spec.key.path[-1]: sorted(tables_read(spec)) for spec in specs}
    return list(TopologicalSorter({table: reads[table] for table in sorted(reads)}).static_order())


def outdated(specs: Iterable[dg.AssetSpec], settings: Settings, warehouse: Warehouse) -> list[str]:
    """The tables that a rebuild would change: those whose code, settings or inputs differ from what they hold.

    `specs` are those of all assets, in any order.
    """
    published = published_versions(warehouse)
    by_table = {spec.key.path[-1]: spec for spec in specs}
    expected = {RAW_INVOICES: published[RAW_INVOICES]}
    for table in in_order(by_table.values()):
        if table != RAW_INVOICES:
            inputs = {name: expected[name] for name in tables_read(by_table[table])}
            expected[table] = version_of(by_table[table], settings, inputs)
    return [table for table, version in expected.items() if published.get(table) != version]


def _hash(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
