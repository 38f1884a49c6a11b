"""Small dumps and warehouses, built from what a test says of them."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, cast

import dagster as dg
import pandas as pd
import sqlalchemy as sa

from lgs_assets.assets import ALL_ASSETS
from lgs_assets.assets.customers import PLAYBOOK
from lgs_assets.configuration import Settings
from lgs_assets.contracts.model import InvoiceModel, Model, Relation
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame
from lgs_assets.warehouse.loading import load_dump
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.warehouse.tables import Store
from lgs_assets.what_if import MODELS as ASSETS_WITH_A_MODEL

UNVERSIONED = Provenance("0" * 64, "0" * 64, {})


def _default_model(asset: dg.AssetsDefinition) -> Model:
    """The model that an asset returns at the defaults of the settings."""
    relations = {name: Relation(name) for name in asset.keys_by_input_name}
    resources = {"settings": Settings()} if "settings" in asset.required_resource_keys else {}
    return cast("Model", asset(**relations, **resources))


# What the lineage makes of the lines: every asset but the lines themselves.
DERIVED = [asset.key.path[-1] for asset in ALL_ASSETS if asset.key.path != ["raw_invoices"]]

# Each derived table that has a SELECT, after those that it reads.
MODELS = {table: _default_model(asset) for table, asset in ASSETS_WITH_A_MODEL.items()}
PARAMETERS = {table: model.parameters for table, model in MODELS.items()}

# Of the tables that are refreshed invoice by invoice, the table of the lines.
SOURCES = {table: model.source for table, model in MODELS.items() if isinstance(model, InvoiceModel)}


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


def build_tables(where: Warehouse | Store, *tables: str, **parameters: Any) -> None:
    """Builds the derived tables named, or all but the charts, from what is in raw_invoices."""
    store = where if isinstance(where, Store) else Store(where)
    settings: dict[str, Any] = {name: parameters[name] for name in ("ties", "drop_repeats") if name in parameters}
    rules = sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()
    provenance = Provenance(UNVERSIONED.version, rules, settings)
    publish_frame(store.warehouse, "segment_playbook", pd.read_csv(PLAYBOOK), provenance)
    for table in tables or MODELS:
        values = {name: value for name, value in parameters.items() if name in PARAMETERS[table]}
        store.publish_model(table, model(table, **values), provenance)


def model(table: str, **parameters: Any) -> Model:
    """The model of a table, as its asset returns it; with other parameters where some are given."""
    default = MODELS[table]
    relations = {relation.name: relation for relation in default.inputs}
    return type(default)(default.file, **relations, **default.parameters | parameters)


def values(row: sa.RowMapping) -> tuple[Any, ...]:
    """The values of a row, in the order of its columns."""
    return tuple(dict(row).values())


def load_lines(warehouse: Warehouse, folder: Path, lines: Iterable[Line], *, name: str = "retail.sql") -> None:
    """Loads the lines as a dump of that name."""
    load_dump(warehouse, write_dump(folder / name, lines), name=name)
