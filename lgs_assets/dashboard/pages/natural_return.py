"""What the customers of each segment do with no campaign: the figure that a campaign has to be held against."""

from __future__ import annotations

from typing import Any

from lgs_assets.dashboard.content import FEW, FEWEST, Bar, Column, Few, Figure, Link, Table
from lgs_assets.dashboard.pages.page import View
from lgs_assets.dashboard.pages.parts import colour
from lgs_assets.dashboard.queries import Row


def natural_return(view: View) -> Figure:
    """What the customers of each segment did at the latest start that the data covers."""
    found = {(row["segment"], row["months"]): row for row in view.rows("natural_return", fewest=FEWEST)}
    rows = []
    for segment in view.segments:
        half, quarter = found.get((segment, 6)), found.get((segment, 3))
        if not half:
            continue
        share = half["came_back"] / half["customers"] * 100
        rows.append(
            (
                Link(segment, view.link_segment(segment)),
                half["snapshot_date"],
                half["customers"],
                Bar(share, share, colour(view, segment)) if half["customers"] >= FEWEST else Few(FEW),
                _spread(half),
                half["starts"],
                _share(quarter),
                half["net_after_once"],
            )
        )
    table = Table(
        (
            Column("segment", "Segment"),
            Column("start", "From", "day"),
            Column("customers", "Customers", "count"),
            Column("came_back_6", "Bought again within 6 months", "percent"),
            Column("range_6", "Lowest to highest"),
            Column("starts", "Month ends", "count"),
            Column("came_back_3", "Within 3 months", "percent"),
            Column("net_6", "Net sales within 6 months", "whole_pounds"),
        ),
        rows,
    )
    note = (
        "From history: no campaign is told apart here. A report without a control group would claim all of it for "
        "whatever was sent on that day. Net of returns, in whole months, with an invoice that the data holds twice "
        "counted once. Lowest to highest: the share within 6 months, "
        f"from every month end with {FEWEST} customers or more."
    )
    return Figure("anyway", "What would they have done anyway?", table, note=note)


def _share(row: Row | None) -> Any:
    if row is None:
        return None
    return row["came_back"] / row["customers"] * 100 if row["customers"] >= FEWEST else Few(FEW)


def _spread(row: Row) -> Any:
    if not row["starts"]:
        return Few(FEW)
    low, high = (round(float(row[end]) * 100) for end in ("least", "most"))
    return f"{low}\N{EN DASH}{high} %"
