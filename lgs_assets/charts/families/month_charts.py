"""Charts of what happened month by month: orders, sales, customers. Each marks a partial month as such.

Those of orders and sales say which months hold invoices twice, and what is counted once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgs_assets.charts import style
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.scales import Values, in_counts, in_pounds, label_ticks
from lgs_assets.charts.wording import (
    change,
    count,
    counted,
    day_of_year,
    month,
    month_of_year,
    pounds,
    short_pounds,
    span,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=2)

_MONTH: Final = ("invoice_month", "last_invoice_at", "is_partial")
_DOUBLED: Final = ("doubled_orders", "sales", "sales_once")
_NOTICEABLE: Final = 0.01
"""A month is named whose sales are off by this share or more because it holds invoices twice."""
_NAMED: Final = 2
"""Months that fit into one line of such a note."""
_BAR: Final = 0.8
"""Width of a month's bars, in months."""
_HATCH: Final = "/////"
_LABELS: Final = 26
"""Months, or labels of a month's value, that fit side by side."""
_FEWEST: Final = 8
"""Months that there is always room for."""


@dataclass(frozen=True)
class _Timeline:
    """Every month from the first to the last, whether it has invoices or not."""

    months: list[pd.Timestamp]
    at: Values
    """Where each month is on the axis."""
    is_partial: NDArray[np.bool_]
    ends: pd.Timestamp
    """The last invoice."""
    values: dict[str, Values]
    """By column; NaN where a month has none."""


@FAMILY.chart(
    "Orders placed and canceled each month", monthly_metrics=(*_MONTH, *_DOUBLED, "placed_orders", "canceled_orders")
)
def monthly_orders(monthly_metrics: pd.DataFrame) -> Figure:
    """Placed and canceled orders, side by side."""
    timeline = _timeline(monthly_metrics)
    figure, axes = _sheet(
        timeline,
        "Placed: all invoices less two for each cancellation, itself and the invoice that it cancels",
        note=_held_twice(timeline, lambda _: "each is one order here"),
    )
    placed, canceled = timeline.values["placed_orders"], timeline.values["canceled_orders"]
    _draw_bars(axes, timeline, placed, style.BLUE, width=_BAR / 2, shift=-_BAR / 4)
    _draw_bars(axes, timeline, canceled, style.ORANGE, width=_BAR / 2, shift=_BAR / 4)
    _label_highest(axes, timeline, placed, count, shift=-_BAR / 4)
    _label_partial(axes, timeline, placed / 2)
    in_counts(axes.yaxis)
    axes.set_ylabel("Orders a month")
    style.legend(
        axes,
        [
            style.swatch(style.BLUE, "placed"),
            style.swatch(style.ORANGE, "canceled"),
        ],
    )
    return figure


@FAMILY.chart("Sales each month", monthly_metrics=(*_MONTH, *_DOUBLED))
def monthly_sales(monthly_metrics: pd.DataFrame) -> Figure:
    """Sales. What second copies of invoices add to a month is the pale end of its bar."""
    timeline = _timeline(monthly_metrics)
    values, once = timeline.values["sales"], timeline.values["sales_once"]
    figure, axes = _sheet(
        timeline,
        "Sum of all invoice lines, cancellations and refunds included",
        note=_held_twice(timeline, lambda place: f"{pounds(once[place])} counted once, without the pale part"),
    )
    has_copies = (once > 0) & (values > once) & ~timeline.is_partial
    look: dict[str, Any] = {"facecolor": style.lighter(style.BLUE), "edgecolor": style.BLUE, "linewidth": 0.8}
    axes.bar(timeline.at[has_copies], values[has_copies], _BAR, **look)
    _draw_bars(axes, timeline, np.where(has_copies, once, values), style.BLUE)
    _label_highest(axes, timeline, values, lambda value: short_pounds(value, 3))
    _label_partial(axes, timeline, values / 2)
    in_pounds(axes.yaxis)
    axes.set_ylabel("Sales a month, in £")
    return figure


@FAMILY.chart("Growth of sales from month to month", monthly_metrics=(*_MONTH, *_DOUBLED, "sales_growth_pct"))
def monthly_sales_growth(monthly_metrics: pd.DataFrame) -> Figure:
    """Change of sales on the month before."""
    timeline = _timeline(monthly_metrics)
    growth = timeline.values["sales_growth_pct"]
    if np.isnan(growth).all():
        return style.message("No month has a month before it to compare with.")
    without = "the first month has none before it" + (", the second no whole one" if timeline.is_partial[0] else "")
    figure, axes = _sheet(
        timeline,
        f"Change of sales on the month before; {without}",
        note=_held_twice(timeline, lambda place: _growth_counted_once(timeline, place)),
    )
    _draw_bars(axes, timeline, growth, style.BLUE)
    if len(growth) <= _LABELS:
        for at, value in zip(timeline.at, _of_whole_months(timeline, growth), strict=True):
            if not np.isnan(value):
                _label(axes, at, value, change(value, 0).removesuffix(" %"), style.SMALL - 0.5)
    remark = "" if np.isnan(growth[-1]) else f"{change(growth[-1])}\n"
    _label_partial(axes, timeline, growth / 2, f"{remark}not comparable,\n")
    axes.margins(y=0.08)
    axes.axhline(0, color=style.INK, linewidth=0.9)
    label_ticks(axes.yaxis, lambda value: change(value, 0))
    axes.set_ylabel("Change of sales, in %")
    return figure


@FAMILY.chart("Customers active each month", monthly_metrics=_MONTH, user_activity=("invoice_month", "active_users"))
def monthly_active_users(monthly_metrics: pd.DataFrame, user_activity: pd.DataFrame) -> Figure:
    """Active customers."""
    timeline = _timeline(_with_users(monthly_metrics, user_activity))
    figure, axes = _sheet(timeline, "Customers with at least one invoice line in the month, cancellations included")
    values = timeline.values["active_users"]
    # The line ends with the last whole month; a partial one is a point by itself.
    axes.plot(timeline.at, _of_whole_months(timeline, values), "-o", color=style.BLUE, linewidth=2, markersize=5)
    apart = np.where(timeline.is_partial, values, np.nan)
    axes.plot(timeline.at, apart, "o", color=style.BLUE, markersize=7, markerfacecolor="white")
    axes.set_ylim(0, max(np.nanmax(values), 1) * 1.1)
    _label_highest(axes, timeline, values, count)
    _label_partial(axes, timeline, values)
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
    timeline = _timeline(_with_users(monthly_metrics, user_activity))
    figure, axes = _sheet(
        timeline, "New: first ever invoice line in the month. The data begins with the first month, where all are new"
    )
    existing, new = timeline.values["existing_users"], timeline.values["new_users"]
    _draw_bars(axes, timeline, existing, style.BLUE)
    _draw_bars(axes, timeline, new, style.ORANGE, base=existing)
    _label_highest(axes, timeline, existing + new, count)
    _label_partial(axes, timeline, (existing + new) / 2)
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


def _timeline(known: pd.DataFrame) -> _Timeline:
    months = pd.date_range(known["invoice_month"].min(), known["invoice_month"].max(), freq="MS")
    places = months.get_indexer(pd.Index(known["invoice_month"]))
    columns = known.columns.drop(["invoice_month", "last_invoice_at", "is_partial"])
    values = {str(column): np.full(len(months), np.nan) for column in columns}
    for column, spread in values.items():
        spread[places] = known[column].to_numpy(dtype=float)
    is_partial = np.zeros(len(months), dtype=bool)
    is_partial[places] = known["is_partial"].to_numpy(dtype=bool)
    return _Timeline(
        list(months), np.arange(len(months), dtype=float), is_partial, known["last_invoice_at"].max(), values
    )


def _held_twice(timeline: _Timeline, remark: Callable[[int], str]) -> str:
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
    return f"Held twice as a whole by their dump: {'; '.join(held)}." if held else ""


def _growth_counted_once(timeline: _Timeline, place: int) -> str:
    """The change of a month, and of the one after it, if invoices count once."""
    once = _of_whole_months(timeline, timeline.values["sales_once"])
    changes = [
        f"{month_of_year(timeline.months[later])} {change(100 * (once[later] / once[later - 1] - 1))}"
        for later in (place, place + 1)
        if 0 < later < len(once)
        and not timeline.is_partial[later]
        and once[later - 1] > 0
        and not np.isnan(once[later])
    ]
    return f"counted once: {', '.join(changes)}" if changes else "the first month has no change"


def _of_whole_months(timeline: _Timeline, values: Values) -> Values:
    return np.where(timeline.is_partial, np.nan, values)


def _sheet(timeline: _Timeline, subtitle: str, *, note: str = "") -> tuple[Figure, Axes]:
    """A sheet, and axes with a place for each month, above a note if there is one."""
    figure = style.sheet(subtitle)
    style.note(figure, note)
    # The label of a partial last month stands to the right of the axes.
    right = 0.885 if timeline.is_partial[-1] else 0.975
    axes = figure.add_subplot(style.grid(figure, right=right, bottom=0.195 if note else 0.16)[0])
    # Few months are not stretched over the width.
    around = max(0.7, (_FEWEST - len(timeline.at)) / 2)
    axes.set_xlim(timeline.at[0] - around, timeline.at[-1] + around)
    ticks = _ticks(timeline)
    axes.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
    first, last = month(timeline.months[0]), month(timeline.months[-1])
    axes.set_xlabel(f"Month of the invoice, {first if first == last else span(first, last)}")
    return figure, axes


def _ticks(timeline: _Timeline) -> list[tuple[float, str]]:
    """The months whose names fit, and the year at each January."""
    every = next(step for step in (1, 2, 3, 4, 6, 12, 24, 60, 120) if len(timeline.months) <= _LABELS * step)
    return [
        (at, f"{month_of_year(name)}\n{name.year if name.month == 1 else ''}")
        for at, name in zip(timeline.at, timeline.months, strict=True)
        if (12 * name.year + name.month - 1) % every == 0
    ]


def _draw_bars(
    axes: Axes,
    timeline: _Timeline,
    values: Values,
    colour: str,
    *,
    width: float = _BAR,
    shift: float = 0.0,
    base: Values | None = None,
) -> None:
    """One bar a month, on top of the base if one is given; a partial month's bar is pale and hatched."""
    looks: list[tuple[NDArray[np.bool_], dict[str, Any]]] = [
        (~timeline.is_partial, {"color": colour}),
        (
            timeline.is_partial,
            {"facecolor": style.lighter(colour), "edgecolor": colour, "hatch": _HATCH, "linewidth": 0.8},
        ),
    ]
    for chosen, look in looks:
        drawn = chosen & ~np.isnan(values)
        bottom = 0.0 if base is None else base[drawn]
        axes.bar(timeline.at[drawn] + shift, values[drawn], width, bottom=bottom, **look)


def _label_highest(
    axes: Axes, timeline: _Timeline, values: Values, written: Callable[[float], str], shift: float = 0.0
) -> None:
    """Writes the value of the highest whole month above it."""
    whole = _of_whole_months(timeline, values)
    if np.nanmax(whole, initial=0) > 0:
        highest = int(np.nanargmax(whole))
        _label(axes, timeline.at[highest] + shift, whole[highest], written(whole[highest]), style.SMALL + 0.5)


def _label(axes: Axes, at: float, value: float, text: str, size: float) -> None:
    """Writes text beyond the end of a bar or above a point."""
    axes.annotate(
        text,
        (at, value),
        xytext=(0, 3 if value >= 0 else -3),
        textcoords="offset points",
        ha="center",
        va="bottom" if value >= 0 else "top",
        size=size,
        bbox=style.UNCROSSED,
    )


def _label_partial(axes: Axes, timeline: _Timeline, heights: Values, remark: str = "") -> None:
    """Marks a partial month as such at the given height: the last to its right, the first in its place."""
    *earlier, _ = timeline.is_partial
    for place in np.flatnonzero(earlier):
        look: dict[str, Any] = {"rotation": "vertical", "ha": "center", "va": "center", "size": style.SMALL}
        axes.annotate("partial", (timeline.at[place], np.nan_to_num(heights[place])), bbox=style.UNCROSSED, **look)
    if timeline.is_partial[-1]:
        axes.annotate(
            f"{remark}partial:\nto {day_of_year(timeline.ends)}",
            (timeline.at[-1] + _BAR / 2, np.nan_to_num(heights[-1])),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            size=style.SMALL,
            annotation_clip=False,
        )
