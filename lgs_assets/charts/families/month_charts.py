"""Charts of what happened month by month: orders, sales, customers. Each marks a partial month as such.

Those of orders and sales say which months hold invoices twice, and what is counted once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from lgs_assets.charts import style
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.scales import in_counts, in_pounds, label_ticks
from lgs_assets.charts.timeline import (
    BAR,
    LABELS,
    Timeline,
    draw_bars,
    label,
    label_highest,
    label_partial,
    month_sheet,
    of_whole_months,
    timeline_of,
)
from lgs_assets.wording import (
    change,
    count,
    counted,
    month,
    month_of_year,
    pounds,
    short_pounds,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=2)

_MONTH: Final = ("invoice_month", "last_invoice_at", "is_partial")
_DOUBLED: Final = ("doubled_orders", "sales", "sales_once")
_NOTICEABLE: Final = 0.01
"""A month is named whose sales are off by this share or more because it holds invoices twice."""
_NAMED: Final = 2
"""Months that fit into one line of such a note."""


@FAMILY.chart(
    "Orders placed and cancelled each month", monthly_metrics=(*_MONTH, *_DOUBLED, "placed_orders", "canceled_orders")
)
def monthly_orders(monthly_metrics: pd.DataFrame) -> Figure:
    """Placed and cancelled orders, side by side."""
    timeline = timeline_of(monthly_metrics)
    figure, axes = month_sheet(
        timeline,
        "Placed: all invoices less two for each cancellation, itself and the invoice that it cancels",
        note=_held_twice(timeline, lambda _: "each is one order here"),
    )
    placed, cancelled = timeline.values["placed_orders"], timeline.values["canceled_orders"]
    draw_bars(axes, timeline, placed, style.BLUE, width=BAR / 2, shift=-BAR / 4)
    draw_bars(axes, timeline, cancelled, style.ORANGE, width=BAR / 2, shift=BAR / 4)
    label_highest(axes, timeline, placed, count, shift=-BAR / 4)
    label_partial(axes, timeline, placed / 2)
    in_counts(axes.yaxis)
    axes.set_ylabel("Orders a month")
    style.legend(
        axes,
        [
            style.swatch(style.BLUE, "placed"),
            style.swatch(style.ORANGE, "cancelled"),
        ],
    )
    return figure


@FAMILY.chart("Sales each month", monthly_metrics=(*_MONTH, *_DOUBLED))
def monthly_sales(monthly_metrics: pd.DataFrame) -> Figure:
    """Sales. What second copies of invoices add to a month is the pale end of its bar."""
    timeline = timeline_of(monthly_metrics)
    values, once = timeline.values["sales"], timeline.values["sales_once"]
    figure, axes = month_sheet(
        timeline,
        "Sum of all invoice lines, cancellations and refunds included",
        note=_held_twice(timeline, lambda place: f"{pounds(once[place])} counted once, without the pale part"),
    )
    has_copies = (once > 0) & (values > once) & ~timeline.is_partial
    look: dict[str, Any] = {"facecolor": style.lighter(style.BLUE), "edgecolor": style.BLUE, "linewidth": 0.8}
    axes.bar(timeline.at[has_copies], values[has_copies], BAR, **look)
    draw_bars(axes, timeline, np.where(has_copies, once, values), style.BLUE)
    label_highest(axes, timeline, values, lambda value: short_pounds(value, 3))
    label_partial(axes, timeline, values / 2)
    in_pounds(axes.yaxis)
    axes.set_ylabel("Sales a month, in £")
    return figure


@FAMILY.chart("Growth of sales from month to month", monthly_metrics=(*_MONTH, *_DOUBLED, "sales_growth_pct"))
def monthly_sales_growth(monthly_metrics: pd.DataFrame) -> Figure:
    """Change of sales on the month before."""
    timeline = timeline_of(monthly_metrics)
    growth = timeline.values["sales_growth_pct"]
    if np.isnan(growth).all():
        return style.message("No month has a month before it to compare with.")
    without = "the first month has none before it" + (", the second no whole one" if timeline.is_partial[0] else "")
    figure, axes = month_sheet(
        timeline,
        f"Change of sales on the month before; {without}",
        note=_held_twice(timeline, lambda place: _growth_counted_once(timeline, place)),
    )
    draw_bars(axes, timeline, growth, style.BLUE)
    if len(growth) <= LABELS:
        for at, value in zip(timeline.at, of_whole_months(timeline, growth), strict=True):
            if not np.isnan(value):
                label(axes, at, value, change(value, 0).removesuffix(" %"), style.SMALL - 0.5)
    remark = "" if np.isnan(growth[-1]) else f"{change(growth[-1])}\n"
    label_partial(axes, timeline, growth / 2, f"{remark}not comparable,\n")
    axes.margins(y=0.08)
    axes.axhline(0, color=style.INK, linewidth=0.9)
    label_ticks(axes.yaxis, lambda value: change(value, 0))
    axes.set_ylabel("Change of sales, in %")
    return figure


@FAMILY.chart("Customers active each month", monthly_metrics=_MONTH, user_activity=("invoice_month", "active_users"))
def monthly_active_users(monthly_metrics: pd.DataFrame, user_activity: pd.DataFrame) -> Figure:
    """Active customers."""
    timeline = timeline_of(_with_users(monthly_metrics, user_activity))
    figure, axes = month_sheet(
        timeline, "Customers with at least one invoice line in the month, cancellations included"
    )
    values = timeline.values["active_users"]
    # The line ends with the last whole month; a partial one is a point by itself.
    axes.plot(timeline.at, of_whole_months(timeline, values), "-o", color=style.BLUE, linewidth=2, markersize=5)
    apart = np.where(timeline.is_partial, values, np.nan)
    axes.plot(timeline.at, apart, "o", color=style.BLUE, markersize=7, markerfacecolor="white")
    axes.set_ylim(0, max(np.nanmax(values), 1) * 1.1)
    label_highest(axes, timeline, values, count)
    label_partial(axes, timeline, values)
    in_counts(axes.yaxis)
    axes.set_ylabel("Customers active in the month")
    return figure


@FAMILY.chart(
    "New and existing customers each month",
    monthly_metrics=_MONTH,
    user_activity=("invoice_month", "new_users", "existing_users"),
)
def new_and_existing_users(monthly_metrics: pd.DataFrame, user_activity: pd.DataFrame) -> Figure:
    """New and existing customers, stacked: together, the active ones."""
    timeline = timeline_of(_with_users(monthly_metrics, user_activity))
    figure, axes = month_sheet(
        timeline, "New: first ever invoice line in the month. The data begins with the first month, where all are new"
    )
    existing, new = timeline.values["existing_users"], timeline.values["new_users"]
    draw_bars(axes, timeline, existing, style.BLUE)
    draw_bars(axes, timeline, new, style.ORANGE, base=existing)
    label_highest(axes, timeline, existing + new, count)
    label_partial(axes, timeline, (existing + new) / 2)
    in_counts(axes.yaxis)
    axes.set_ylabel("Customers active in the month")
    style.legend(
        axes,
        [
            style.swatch(style.BLUE, "existing"),
            style.swatch(style.ORANGE, "new"),
        ],
    )
    return figure


def _with_users(monthly_metrics: pd.DataFrame, user_activity: pd.DataFrame) -> pd.DataFrame:
    # A month with nothing but guests has no row in user_activity: no customer was active.
    nobody = dict.fromkeys(user_activity.columns.drop("invoice_month"), 0)
    return monthly_metrics.merge(user_activity, on="invoice_month", how="left").fillna(nobody)


def _held_twice(timeline: Timeline, remark: Callable[[int], str]) -> str:
    """Which months hold invoices twice, with a remark on each where it shows; empty if none does."""
    doubled, sales, once = (np.nan_to_num(timeline.values[column]) for column in _DOUBLED)
    added = np.abs(sales - once)
    is_named = (doubled > 0) & (added >= _NOTICEABLE * np.abs(sales))
    is_named[np.argsort(-added, kind="stable")[_NAMED:]] = False
    held = [
        f"{counted(doubled[place], 'invoice')} of {month(timeline.months[place])} ({remark(place)})"
        for place in np.flatnonzero(is_named).tolist()
    ]
    if others := int(np.count_nonzero(doubled[~is_named])):
        months = counted(others, "other month" if held else "month")
        held.append(f"{counted(doubled[~is_named].sum(), 'invoice')} of {months}")
    return f"Held twice in full by their dump: {'; '.join(held)}." if held else ""


def _growth_counted_once(timeline: Timeline, place: int) -> str:
    """The change of a month, and of the one after it, if invoices count once."""
    once = of_whole_months(timeline, timeline.values["sales_once"])
    changes = [
        f"{month_of_year(timeline.months[later])} {change(100 * (once[later] / once[later - 1] - 1))}"
        for later in (place, place + 1)
        if 0 < later < len(once)
        and not timeline.is_partial[later]
        and once[later - 1] > 0
        and not np.isnan(once[later])
    ]
    return f"counted once: {', '.join(changes)}" if changes else "the first month has no change"
