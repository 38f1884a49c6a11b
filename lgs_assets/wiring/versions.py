"""What a table was built from, as one hash: it tells what is up to date without building anything."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from hashlib import sha256
from pathlib import Path

import dagster as dg
import pandas as pd
import sqlalchemy as sa

from lgs_assets import project
from lgs_assets.configuration import Settings
from lgs_assets.contracts.model import Model, Relation
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump, loaded_dumps
from lgs_assets.wiring.partitions import RAW_INVOICES

_CODE = project.ROOT / "lgs_assets"


@cache
def code_version(table: str, *sources: Path) -> str:
    """The version of the code that makes a table: its contract and model, and the other files or folders named.

    Raises FileNotFoundError for one that does not exist.
    """
    model = project.SQL / "models" / f"{table}.sql"
    own = (project.SQL / "tables" / f"{table}.sql", *([model] if model.exists() else []))
    files = [file for source in (*own, *sources) for file in (source.glob("*.py") if source.is_dir() else [source])]
    digest = sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


_SOURCES = (_CODE / "sources", _CODE / "warehouse" / "loading.py")
READER = code_version(RAW_INVOICES, *_SOURCES)
"""The version of the code that reads dumps."""
READER_INTO_LAKE = code_version(RAW_INVOICES, *_SOURCES, _CODE / "lake" / "landing.py")
"""Another one: when lines move to another store, their dumps are read again."""


def reader() -> str:
    """The version of the code that reads dumps to where LGS_ENGINE has their lines."""
    return READER if project.engine() == "postgres" else READER_INTO_LAKE


def version_of_dumps(dumps: Iterable[LoadedDump]) -> str:
    """The version of raw_invoices: which contents it holds, oldest first, and how they were read."""
    return _hash([[dump.dump, dump.sha256, dump.reader, dump.facts.get("dates")] for dump in dumps])


def version_of(spec: dg.AssetSpec, settings: Settings, inputs: Mapping[str, str]) -> str:
    """The version of any other table: its code, the settings, and the versions of the tables that it reads."""
    return _hash([spec.code_version, settings.model_dump(), sorted(inputs.items())])


def rules_of(spec: dg.AssetSpec, settings: Settings) -> str:
    """The version of all that makes any other table of its inputs: its code and the settings."""
    return version_of(spec, settings, {})


def tables_read(spec: dg.AssetSpec) -> list[str]:
    """The tables that an asset is built from."""
    return [dep.asset_key.path[-1] for dep in spec.deps]


def built_from(frame: pd.DataFrame, inputs: Iterable[object]) -> pd.DataFrame:
    """A frame that an asset has made of its inputs, with the versions of the tables among them."""
    read = {value.name: value.version for value in inputs if isinstance(value, Relation)}
    read |= {value.attrs["table"]: value.attrs["version"] for value in inputs if isinstance(value, pd.DataFrame)}
    frame.attrs = {"built_from": read}
    return frame


def versions_read(spec: dg.AssetSpec, made: Model | pd.DataFrame) -> dict[str, str]:
    """The version of each table that an asset was built from, as it was when it was handed over."""
    if isinstance(made, Model):
        known = {relation.name: relation.version for relation in made.inputs}
    else:
        known = made.attrs["built_from"]
    if missing := [table for table in tables_read(spec) if table not in known]:
        raise LgsError(f"{spec.key.path[-1]} is given {', '.join(missing)}, which its model is not told of.")
    return {table: known[table] for table in tables_read(spec)}


def published_versions(warehouse: Warehouse) -> dict[str, str]:
    """The version that each table of the warehouse has now."""
    rows = warehouse.rows("select table_name, version from publications")
    return {RAW_INVOICES: version_of_dumps(loaded_dumps(warehouse))} | {row.table_name: row.version for row in rows}


def distrust(warehouse: Warehouse, table: str) -> None:
    """Makes a table count as outdated until it is built anew, so that nothing is built on it as it is."""
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text(
                "update publications set version = repeat('0', 64), rules = repeat('0', 64) where table_name = :table"
            ),
            {"table": table},
        )


def settings_of(warehouse: Warehouse, table: str) -> Settings:
    """The settings that a table was built with; those of the environment where it tells none."""
    rows = warehouse.rows("select settings from publications where table_name = :table", table=table)
    return Settings(**rows[0].settings) if rows else Settings.from_environment()


def outdated(specs: Iterable[dg.AssetSpec], settings: Settings, warehouse: Warehouse) -> list[str]:
    """The tables that a rebuild would change: those whose code, settings or inputs differ from what they hold.

    `specs` are those of all assets, in any order.
    """
    published = published_versions(warehouse)
    by_table = {spec.key.path[-1]: spec for spec in specs}
    inputs_of = {table: tables_read(spec) for table, spec in by_table.items()}
    expected = {RAW_INVOICES: published[RAW_INVOICES]}
    for table in TopologicalSorter(inputs_of).static_order():
        if table != RAW_INVOICES:
            inputs = {name: expected[name] for name in inputs_of[table]}
            expected[table] = version_of(by_table[table], settings, inputs)
    return [table for table, version in expected.items() if published.get(table) != version]


def _hash(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
