"""Can I trust this? What is loaded and built, what must hold of it, what each number means, and the settings."""

from __future__ import annotations

from lgs_assets import wording
from lgs_assets.configuration import Settings, as_written
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.contract import RAW_INVOICES, kept_tables, tables
from lgs_assets.dashboard.content import Column, Link, Table
from lgs_assets.dashboard.pages.page import Files, NothingThereError, Page, Shown, View
from lgs_assets.dashboard.queries import NotReadyError, Row


def show(view: View) -> Shown:
    """The dumps, the tables with their checks, the settings and the definitions."""
    files: Files = {"tables": _tables(view), "checks": _checks(view), "dumps": _dumps(view)}
    found = {name: as_written(value) for table in view.built.tables.values() for name, value in table.settings.items()}
    return Shown(
        "Can I trust this?",
        {
            **files,
            "settings": [(name, value, _meaning(name)) for name, value in sorted(found.items())],
            "segments": view.choices.segments.values(),
            "doubled": _doubled(view),
        },
        files,
    )


def _tables(view: View) -> Table:
    return Table(
        (
            Column("table", "Table"),
            Column("rows", "Rows", "count"),
            Column("built", "Built", "moment"),
            Column("checks", "Checks", "count"),
        ),
        [
            (
                Link(name, view.link(f"/data/{name}")),
                table.rows,
                table.built,
                sum(check.table == name for check in CHECKS),
            )
            for name, table in sorted(view.built.tables.items())
        ],
        "Tables",
    )


def _dumps(view: View) -> Table:
    return Table(
        (
            Column("dump", "Dump"),
            Column("lines", "Lines", "count"),
            Column("rejected", "Rejected", "count"),
            Column("first", "From"),
            Column("last", "To"),
        ),
        [
            (
                *(dump["dump"], dump["lines"], dump["rejected"]),
                *(dump[end][:16].replace("T", " ") for end in ("first_invoice_at", "last_invoice_at")),
            )
            for dump in view.built.dumps
        ],
        "Dumps",
    )


def _checks(view: View) -> Table:
    results = {(row["table_name"], row["check_name"]): row for row in view.rows("check_results")}
    return Table(
        (
            Column("table", "Table"),
            Column("rule", "Must hold"),
            Column("degree", "If not"),
            Column("found", "Rows that violate it", "count"),
            Column("result", "Result"),
        ),
        [
            (check.table, check.description, check.degree, found["violating_rows"] if found else None, _result(found))
            for check in CHECKS
            if check.table in view.built.tables or check.table == RAW_INVOICES
            for found in [results.get((check.table, check.name))]
        ],
        "Checks",
    )


def show_table(view: View) -> Shown:
    """What a table holds, column by column: its part of the data dictionary."""
    if view.item not in tables():
        raise NothingThereError(f"There is no table {view.item}.")
    if view.item not in view.built.tables:
        if view.item in kept_tables():
            raise NothingThereError(f"The table {view.item} is not for these pages.")
        raise NotReadyError(f"Not built yet: {view.item}.")
    if not (columns := view.rows("columns", table=view.item)):
        raise NotReadyError(f"Not built yet: {view.item}.")
    listed = Table(
        (
            Column("column", "Column"),
            Column("type", "Type"),
            Column("null", "May be missing"),
            Column("meaning", "Meaning"),
        ),
        [
            (column["name"], column["type"], "yes" if column["is_nullable"] else "", column["description"])
            for column in columns
        ],
        "Columns",
    )
    return Shown(view.item, {"columns": listed, "description": columns[0]["of_table"]}, {"columns": listed})


def _meaning(setting: str) -> str:
    """What a setting decides, as the configuration says it."""
    field = Settings.model_fields.get(setting)
    return (field.description or "") if field else ""


def _doubled(view: View) -> list[str]:
    return [
        f"{wording.month(month.month)}: {wording.counted(month.doubled, 'invoice')} held twice; "
        f"{wording.pounds(float(month.sales))} net, {wording.pounds(float(month.sales_once))} counted once"
        for month in view.choices.months.values()
        if month.doubled and month.sales != month.sales_once
    ]


def _result(found: Row | None) -> str:
    if found is None or found["is_older"]:
        return "not checked yet"
    if found["violating_rows"] <= found["accepted_rows"]:
        return "accepted" if found["violating_rows"] else "holds"
    return "warns" if found["degree"] == "warning" else "FAILED"


PAGE = Page(
    "/data",
    "data.html",
    (),
    show,
    label="Data & method",
    honours=frozenset(),
    refusal="The page is of the tables as they are.",
)
TABLE = Page(
    "/data/{item}",
    "table.html",
    (),
    show_table,
    honours=frozenset(),
    refusal="The page is of what a table holds.",
)
