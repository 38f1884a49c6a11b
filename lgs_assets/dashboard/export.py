"""Lists to take away: a workbook and CSV files by segment, and a manifest that says what they are of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lgs_assets.configuration import as_written
from lgs_assets.dashboard.content import Column, Table
from lgs_assets.dashboard.files import BYTE_ORDER_MARK, workbook
from lgs_assets.dashboard.filters import Filters
from lgs_assets.dashboard.pages.parts import EXPECTED
from lgs_assets.dashboard.pages.predictions import CARDS, PREDICTIONS, expectations
from lgs_assets.dashboard.queries import Built, Reading, Row, Tables
from lgs_assets.dashboard.report import segment_named

_NEEDED: Final = ("rfm_history", "customer_profile", "segment_playbook", "audience_members")
_COLUMNS: Final = (
    Column("customer_id", "Customer"),
    Column("do_not_contact", "Do not contact"),
    Column("segment", "Segment"),
    Column("country", "Country"),
    Column("last_invoice_at", "Last order", "day"),
    Column("recency_days", "Days since last order", "count"),
    Column("frequency", "Orders", "count"),
    Column("typical_order", "Typical order", "pounds"),
    Column("sales_before_returns", "Sales before returns", "pounds"),
    Column("net_revenue", "Net of returns", "pounds"),
    Column("value", "Expected in 182 days", "pounds"),
    Column("risk_band", "Risk of staying away"),
    Column("expected_next_day", "Next order due", "day"),
    Column("strategy", "What to do"),
)
_ABOUT_DO_NOT_CONTACT: Final = (
    "Who objected to marketing or asked to be forgotten, and whom a running experiment leaves alone. Who declined "
    "e-mail without objecting is not marked: the lists of audiences leave them out."
)


def export(tables: Tables, folder: Path, names: Sequence[str]) -> list[Path]:
    """Writes the customers of these segments, or of all, as of the end of the data; returns the files.

    Raises LgsError for an unknown segment, and NotReadyError where tables are missing.
    """
    with tables.reading(_NEEDED, (*PREDICTIONS, *CARDS)) as reading:
        built = reading.built
        chosen = [segment_named(reading.choices, name) for name in names] or [*reading.choices.segments]
        lists = _lists(reading, chosen)
        manifest = _manifest(reading, built, lists)
        slugs = {name: reading.choices.segments[name].slug for name in chosen}
    folder.mkdir(parents=True, exist_ok=True)
    mark = "SYNTHETIC-" if built.is_synthetic else ""
    written = [folder / f"{mark}customers.xlsx"]
    written[0].write_bytes(workbook(lists))
    for name, table in lists.items():
        written.append(folder / f"{mark}{slugs[name]}.csv")
        written[-1].write_text(BYTE_ORDER_MARK + table.as_csv(), newline="")
    written.append(folder / "manifest.json")
    written[-1].write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return written


def _lists(reading: Reading, chosen: Sequence[str]) -> dict[str, Table]:
    now = Filters(as_of=max(reading.choices.snapshots), segments=tuple(sorted(chosen)))
    expected: dict[int, Row] = {}
    if reading.tables.issuperset(PREDICTIONS):
        expected = {row["customer_id"]: row for row in reading.rows("export_outlook")}
    rows: dict[str, list[list[Any]]] = {name: [] for name in chosen}
    for row in reading.matched("export", now):
        known = {**dict.fromkeys(EXPECTED), **expected.get(row["customer_id"], {}), **row}
        rows[row["segment"]].append([known[column.name] for column in _COLUMNS])
    return {name: Table(_COLUMNS, found) for name, found in rows.items()}


def _manifest(reading: Reading, built: Built, lists: dict[str, Table]) -> dict[str, Any]:
    settings = {name: as_written(value) for table in built.tables.values() for name, value in table.settings.items()}
    return {
        "synthetic": built.is_synthetic,
        "snapshot": max(reading.choices.snapshots.values()).isoformat(),
        "data_until": reading.choices.until.isoformat(),
        "dumps": [dump["dump"] for dump in built.dumps],
        "settings": settings,
        "tables": {name: built.tables[name].version for name in sorted(reading.tables)},
        "expected": expectations(reading) if reading.tables.issuperset(PREDICTIONS) else None,
        "customers": {name: len(table.rows) for name, table in lists.items()},
        "columns": {column.name: column.label for column in _COLUMNS},
        "do_not_contact": _ABOUT_DO_NOT_CONTACT,
    }
