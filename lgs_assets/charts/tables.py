"""The tables that charts are drawn from: which columns of them are needed, in which order their rows stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from lgs_assets.charts.wording import day, span
from lgs_assets.errors import ContractError

COLUMNS: Final = {
    "invoice_amounts": ("amount",),
    "invoice_amount_statistics": (
        "population",
        "is_cut",
        "invoices",
        "minimum",
        "maximum",
        "mean",
        "median",
        "mode",
        "cutoff_quantile",
        "cutoff_amount",
    ),
    "monthly_metrics": (
        "invoice_month",
        "placed_orders",
        "canceled_orders",
        "sales",
        "sales_growth_pct",
        "last_invoice_at",
        "is_partial",
    ),
    "user_activity": ("invoice_month", "active_users", "new_users", "existing_users"),
    "rfm_scores": ("snapshot_date", "recency_days", "frequency", "monetary"),
    "segment_playbook": ("position", "segment", "r_min", "r_max", "f_min", "f_max"),
    "segment_summary": ("position", "segment", "customers", "customers_pct", "revenue", "revenue_pct"),
}
"""The columns that charts read, by table. Rows are sorted by them, so that the same rows make the same bytes."""


@dataclass(frozen=True)
class Tables:
    """Every table that a chart may draw from, with the columns of COLUMNS and in their order."""

    invoice_amounts: pd.DataFrame
    invoice_amount_statistics: pd.DataFrame
    monthly_metrics: pd.DataFrame
    user_activity: pd.DataFrame
    rfm_scores: pd.DataFrame
    segment_playbook: pd.DataFrame
    segment_summary: pd.DataFrame
    origin: str = "invoice lines of the London Gift Shop warehouse"
    """What the data is, for the footer."""

    def empty(self, *names: str) -> bool:
        """Whether one of the named tables has no rows."""
        return any(getattr(self, name).empty for name in names)

    def source(self) -> str:
        """What the data is, and from when to when: the footer of every chart."""
        source = f"Source: {self.origin}"
        if self.monthly_metrics.empty:
            return source
        first, last = self.monthly_metrics["invoice_month"].min(), self.monthly_metrics["last_invoice_at"].max()
        return f"{source}, {span(day(first), day(last))}"

    def snapshot(self) -> str:
        """The date that recency looks back from: part of the footer of every chart on customers' scores."""
        return f"RFM snapshot: {day(self.rfm_scores['snapshot_date'].max())}"


def prepare(*, origin: str = Tables.origin, **frames: pd.DataFrame) -> Tables:
    """The tables, from a frame each, whatever the order of its rows and its further columns.

    Raises ContractError if a column is missing, or if two tables tell of different segments.
    """
    tables = Tables(**{table: _ordered(table, frame) for table, frame in frames.items()}, origin=origin)
    planned, counted = set(tables.segment_playbook["segment"]), set(tables.segment_summary["segment"])
    if planned != counted:
        raise ContractError(
            f"Only in segment_playbook: {_listed(planned - counted)}. Only in segment_summary: "
            f"{_listed(counted - planned)}. Materialize segment_playbook and all that follows from it."
        )
    return tables


def _ordered(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    columns = list(COLUMNS[table])
    if missing := [column for column in columns if column not in frame]:
        raise ContractError(
            f"Charts need the column {_listed(missing)} of {table}; the frame has {_listed(map(str, frame.columns))}."
        )
    return frame[columns].sort_values(columns, ignore_index=True)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
