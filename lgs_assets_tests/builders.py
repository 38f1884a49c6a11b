"""Small dumps and warehouses, built from what a test says of them."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from lgs_assets.assets.customers import PLAYBOOK
from lgs_assets.contracts.model import InvoiceModel, Model, Relation
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.warehouse.tables import PostgresTables, Tables

UNVERSIONED = Provenance("0" * 64, "0" * 64, {})

PARAMETERS: dict[str, dict[str, Any]] = {
    "clean_invoices": {"drop_repeats": False},
    "invoice_totals": {},
    "monthly_metrics": {},
    "user_activity": {},
    "invoice_amounts": {},
    "invoice_amount_statistics": {"chart_cutoff": "0.85"},
    "rfm_scores": {"snapshot_date": None, "ties": "by_customer_id"},
    "segments": {},
    "segment_summary": {},
}

# Of the tables that are refreshed invoice by invoice, the table of the lines.
SOURCES = {"clean_invoices": "raw_invoices", "invoice_totals": "clean_invoices"}


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


def write_dump(path: Path, lines: Iterable[Line]) -> Path:
    """Writes the lines as the retailer's SQL dump; in gzip if the name says so."""
    rows = "".join("\t".join("\\N" if v is None else str(v) for v in astuple(line)) + "\n" for line in lines)
    columns = ", ".join(Line.__dataclass_fields__)
    script = f"COPY public.retail ({columns}) FROM stdin;\n{rows}\\.\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(script, mtime=0) if path.suffix == ".gz" else script)
    return path


def build_tables(where: Warehouse | Tables, *tables: str, **parameters: Any) -> None:
    """Builds the derived tables named, or all but the charts, from what is in raw_invoices."""
    store = PostgresTables(where) if isinstance(where, Warehouse) else where
    settings = {name: parameters[name] for name in ("ties", "drop_repeats") if name in parameters}
    rules = sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()
    provenance = Provenance(UNVERSIONED.version, rules, settings)
    store.publish_frame("segment_playbook", pd.read_csv(PLAYBOOK), provenance)
    for table in tables or PARAMETERS:
        values = {name: parameters.get(name, default) for name, default in PARAMETERS[table].items()}
        store.publish_model(table, model(table, **values), provenance)


def model(table: str, **parameters: Any) -> Model:
    """The model of a table, as its asset returns it."""
    if table in SOURCES:
        source = SOURCES[table]
        return InvoiceModel(f"{table}.sql", **{source: Relation(source)}, **parameters)
    return Model(f"{table}.sql", **parameters)


def load_lines(warehouse: Warehouse, folder: Path, lines: Iterable[Line], *, name: str = "retail.sql") -> None:
    """Loads the lines as a dump of that name."""
    load_dump(warehouse, DumpFile(write_dump(folder / name, lines), name))
