"""Charts with an axis of months: the months without a gap, how they are ticked, and how a partial one is marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgs_assets.charts import style
from lgs_assets.charts.scales import Values
from lgs_assets.wording import day_of_year, month, month_of_year, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR: Final = 0.8
"""Width of a month's bars, in months."""
HATCH: Final = "/////"
LABELS: Final = 26
"""Months, or labels of a month's value, that fit side by side."""
_FEWEST: Final = 8
"""The axis has room for at least this many months."""


@dataclass(frozen=True)
class Timeline:
    """Every month from the first to the last, whether it has invoices or not."""

    months: list[pd.Timestamp]
    at: Values
    """Where each month is on the axis."""
    is_partial: NDArray[np.bool_]
    ends: pd.Timestamp
    """The last invoice."""
    values: dict[str, Values]
    """By column; NaN where a month has none."""


def timeline_of(known: pd.DataFrame) -> Timeline:
    """The months of a table with `invoice_month`, `last_invoice_at` and `is_partial`; its other columns as values."""
    months = pd.date_range(known["invoice_month"].min(), known["invoice_month"].max(), freq="MS")
    places = months.get_indexer(pd.Index(known["invoice_month"]))
    columns = known.columns.drop(["invoice_month", "last_invoice_at", "is_partial"])
    values = {str(column): np.full(len(months), np.nan) for column in columns}
    for column, spread in values.items():
        spread[places] = known[column].to_numpy(dtype=float)
    is_partial = np.zeros(len(months), dtype=bool)
    is_partial[places] = known["is_partial"].to_numpy(dtype=bool)
    return Timeline(
        list(months), np.arange(len(months), dtype=float), is_partial, known["last_invoice_at"].max(), values
    )


def of_whole_months(timeline: Timeline, values: Values) -> Values:
    """The values without those of partial months."""
    return np.where(timeline.is_partial, np.nan, values)


def month_sheet(timeline: Timeline, subtitle: str, *, note: str = "") -> tuple[Figure, Axes]:
    """A sheet, and axes with a place for each month, above a note if there is one."""
    figure = style.sheet(subtitle)
    style.note(figure, note)
    # The label of a partial last month stands to the right of the axes.
    right = 0.885 if timeline.is_partial[-1] else 0.975
    axes = figure.add_subplot(style.grid(figure, right=right, bottom=0.195 if note else 0.16)[0])
    month_axes(axes, timeline)
    return figure, axes


def month_axes(axes: Axes, timeline: Timeline) -> None:
    """Gives axes a place for each month."""
    # Few months are not stretched over the width.
    around = max(0.7, (_FEWEST - len(timeline.at)) / 2)
    axes.set_xlim(timeline.at[0] - around, timeline.at[-1] + around)
    ticks = _ticks(timeline)
    axes.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
    first, last = month(timeline.months[0]), month(timeline.months[-1])
    axes.set_xlabel(f"Month of the invoice, {first if first == last else span(first, last)}")


def _ticks(timeline: Timeline) -> list[tuple[float, str]]:
    """The months whose names fit, and the year at each January."""
    every = next(step for step in (1, 2, 3, 4, 6, 12, 24, 60, 120) if len(timeline.months) <= LABELS * step)
    return [
        (at, f"{month_of_year(name)}\n{name.year if name.month == 1 else ''}")
        for at, name in zip(timeline.at, timeline.months, strict=True)
        if (12 * name.year + name.month - 1) % every == 0
    ]


def draw_bars(
    axes: Axes,
    timeline: Timeline,
    values: Values,
    colour: str,
    *,
    width: float = BAR,
    shift: float = 0.0,
    base: Values | None = None,
) -> None:
    """One bar a month, on top of the base if one is given; a partial month's bar is pale and hatched."""
    looks: list[tuple[NDArray[np.bool_], dict[str, Any]]] = [
        (~timeline.is_partial, {"color": colour}),
        (
            timeline.is_partial,
            {"facecolor": style.lighter(colour), "edgecolor": colour, "hatch": HATCH, "linewidth": 0.8},
        ),
    ]
    for chosen, look in looks:
        drawn = chosen & ~np.isnan(values)
        bottom = 0.0 if base is None else base[drawn]
        axes.bar(timeline.at[drawn] + shift, values[drawn], width, bottom=bottom, **look)


def label_highest(
    axes: Axes, timeline: Timeline, values: Values, written: Callable[[float], str], shift: float = 0.0
) -> None:
    """Writes the value of the highest whole month above it."""
    whole = of_whole_months(timeline, values)
    if np.nanmax(whole, initial=0) > 0:
        highest = int(np.nanargmax(whole))
        label(axes, timeline.at[highest] + shift, whole[highest], written(whole[highest]), style.SMALL + 0.5)


def label(axes: Axes, at: float, value: float, text: str, size: float) -> None:
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


def label_partial(axes: Axes, timeline: Timeline, heights: Values, remark: str = "") -> None:
    """Marks a partial month as such at the given height: the last to its right, the first in its place."""
    *earlier, _ = timeline.is_partial
    for place in np.flatnonzero(earlier):
        look: dict[str, Any] = {"rotation": "vertical", "ha": "center", "va": "center", "size": style.SMALL}
        axes.annotate("partial", (timeline.at[place], np.nan_to_num(heights[place])), bbox=style.UNCROSSED, **look)
    if timeline.is_partial[-1]:
        axes.annotate(
            f"{remark}partial:\nto {day_of_year(timeline.ends)}",
            (timeline.at[-1] + BAR / 2, np.nan_to_num(heights[-1])),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            size=style.SMALL,
            annotation_clip=False,
        )
