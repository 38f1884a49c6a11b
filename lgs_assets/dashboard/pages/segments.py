"""Who are our customers, how large is each group, and what do we do with it? All segments, and each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.dashboard.bar import narrowing
from lgs_assets.dashboard.content import (
    FEWEST,
    Bar,
    Column,
    Figure,
    Kind,
    Link,
    Number,
    Shade,
    Table,
    share,
    written,
)
from lgs_assets.dashboard.figures import columns as drawn
from lgs_assets.dashboard.figures.lines import Point, Series, Spark, lines, sparks
from lgs_assets.dashboard.figures.treemap import Box, treemap
from lgs_assets.dashboard.filters import AREAS, PICKING
from lgs_assets.dashboard.pages.movements import net_flow
from lgs_assets.dashboard.pages.page import Files, NothingThereError, Page, Shown, View
from lgs_assets.dashboard.pages.parts import (
    FIRST,
    NOT_OVER,
    colour,
    customer_list,
    held_twice,
    net_of_today,
    or_few,
    shade,
    tick,
)
from lgs_assets.dashboard.pages.predictions import CARDS, PREDICTIONS
from lgs_assets.dashboard.queries import NOT_YET, Row, Segment

POUNDS: Final = (0, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""From which the bands of what customers spent begin, here and in customer_groups."""
_TABLES: Final = ("rfm_history", "customer_profile", "customer_groups")
_PRODUCTS: Final = ("segment_products", "products")


@dataclass(frozen=True)
class _Measure:
    """By what the customers of a segment are counted, and the columns that they are counted in."""

    name: str
    question: str
    label: str
    columns: tuple[str, ...]
    labelled: int
    """Every how many columns one is labelled, so that there is room; not from the 25th on."""
    first: int = 0
    kind: Kind = "count"


_MEASURES: Final = (
    _Measure(
        "spent",
        "How much did they spend?",
        "Sales before returns",
        ("<£100", "£100", "£250", "£500", "£1k", "£2.5k", "£5k", "£10k"),
        labelled=2,
        kind="whole_pounds",
    ),
    _Measure(
        "orders", "How often did they order?", "Orders", (*(str(n) for n in range(10)), "10+"), labelled=3, first=1
    ),
    _Measure(
        "days",
        "How long ago did they last order?",
        "Days",
        (*(str(n * 30) for n in range(24)), "720+"),
        labelled=6,
    ),
)


def show_all(view: View) -> Shown:
    """The segments as areas, as a table with what is typical of each, and the grid of scores behind them."""
    statistics = {row["segment"]: row for row in view.matched("segment_statistics")}
    trend = view.reading.trend(view.filters)
    moves = view.matched("groups", filters=replace(view.filters, segments=()), worth=0)
    files: Files = {
        "areas": _areas(view, statistics),
        "segments": _table(view, statistics, moves),
        "grid": _grid(view, view.matched("grid")),
        "net": net_flow(view, moves),
        "growth": _growth(view, _by_segment(trend)),
    }
    switch = [(f"by {area}", view.filters.url("/segments", area=area), area) for area in AREAS]
    return Shown(
        "Who are our customers, and what do we do with them?",
        {"switch": switch, **files},
        files,
        picked=sum(row["customers"] for row in statistics.values()),
    )


def show_one(view: View, *, height: float = 300) -> Shown:
    """One segment: who they are, what to do, how many over time, where from and where to, what they buy, who.

    `height` is that of the curve, which stands beside the moves, a row for each segment.
    """
    segment = next((known for known in view.choices.segments.values() if known.slug == view.item), None)
    if segment is None:
        raise NothingThereError(f"There is no segment {view.item}.")
    path = f"/segments/{segment.slug}"
    printed = replace(view.filters, page=1, search=None).url(f"/report/{segment.slug}")
    along = {month: view.link(path, as_of=month) for month in view.choices.snapshots}
    of_segment = replace(view.filters, segments=(segment.segment,))
    customers, summary = customer_list(replace(view, filters=of_segment), path=path)
    # Of all segments, as those who left are in others now; and a search is of the list only.
    view = replace(view, filters=replace(view.filters.customers_only(), segments=(), search=None))
    profile = view.matched("segment_profile", segment=segment.segment)
    groups = [row for row in profile if row["kind"] == "move"]
    trend = view.reading.trend(replace(of_segment, search=None))
    products = (
        view.rows("segment_products", as_of=view.as_of, segments=[segment.segment])
        if view.reading.tables.issuperset(_PRODUCTS)
        else []
    )
    figures = {
        "trend": _trend(view, segment, trend, along, height),
        "came_from": _moves(view, segment, groups, is_in=True),
        "went_to": _moves(view, segment, groups, is_in=False),
        **{measure.name: _histogram(view, segment, profile, measure) for measure in _MEASURES},
        "countries": _countries(view, segment, profile),
        "products": _products(view, products, segment),
    }
    rows = [row for row in groups if row["segment"] == segment.segment]
    return Shown(
        segment.segment,
        {
            "segment": segment,
            "numbers": _numbers(view, segment, groups, trend),
            "customers": customers,
            "summary": summary,
            "size": sum(row["customers"] for row in rows),
            "listed": view.link_list(segments=(segment.segment,)),
            "printed": printed,
            **figures,
        },
        {**figures, "customers": customers},
        picked=None if summary["is_beyond"] else summary["count"],
    )


def _by_segment(rows: Sequence[Row]) -> dict[str, dict[Any, Row]]:
    found: dict[str, dict[Any, Row]] = {}
    for row in rows:
        found.setdefault(row["segment"], {})[row["snapshot_date"]] = row
    return found


def _growth(view: View, trend: dict[str, dict[Any, Row]]) -> Figure:
    """Customers of each segment at every month's end, on one small line each."""
    shown = [segment for name, segment in view.choices.segments.items() if name in trend]
    moments = sorted({moment for rows in trend.values() for moment in rows})
    counts = {
        segment.segment: [
            trend[segment.segment][moment]["customers"] if moment in trend[segment.segment] else 0 for moment in moments
        ]
        for segment in shown
    }
    table = Table(
        (
            Column("until", "End of", "day"),
            *(Column(segment.slug.replace("-", "_"), segment.segment, "count") for segment in shown),
        ),
        [(view.choices.last_day(moment), *values) for moment, *values in zip(moments, *counts.values(), strict=True)],
    )
    small = [
        Spark(
            name,
            values,
            wording.counted(values[-1], "customer"),
            view.link_segment(name),
            is_partial=bool(view.not_over()),
        )
        for name, values in counts.items()
    ]
    return Figure(
        "growth",
        "How has each grown?",
        table,
        sparks("Customers in each segment at each month's end. The table below has the values.", small)
        if small
        else None,
        note="Each on its own scale. A ring: a month that is not over. A click opens the segment.",
    )


def _table(view: View, statistics: dict[str, Row], moves: Sequence[Row]) -> Figure:
    """Its change is that of the customers whom the filters pick now, in whatever segment they were before."""
    total = sum(row["customers"] for row in statistics.values())
    sales = sum((row["monetary"] for row in statistics.values()), Decimal(0))
    once = sum((row["monetary_once"] for row in statistics.values()), Decimal(0))
    is_end = view.as_of == view.choices.latest
    rows = []
    for name in view.segments:
        row = statistics.get(name)
        count = row["customers"] if row else 0
        earlier = sum(move["customers"] for move in moves if move["segment_before"] == name)
        change = count - earlier if view.is_compared else None
        rows.append(
            (
                Link(name, view.link_segment(name)),
                count,
                or_few(count / total * 100 if total else None, total),
                change,
                row["monetary"] if row else Decimal(0),
                or_few(float(row["monetary"] / sales * 100) if row and sales else None, total),
                *([row["net_revenue"] if row else Decimal(0)] if is_end else []),
                *(
                    or_few(float(row[f"{what}_median"]) if row else None, count)
                    for what in ("recency", "frequency", "monetary")
                ),
            )
        )
    table = Table(
        (
            Column("segment", "Segment"),
            Column("customers", "Customers", "count"),
            Column("customers_pct", "Of customers", "percent"),
            Column("change", f"Change on {view.moment(view.month_before)}", "change_count"),
            Column("sales_before_returns", "Sales before returns", "whole_pounds"),
            Column("sales_pct", "Of sales", "percent"),
            *([Column("net_revenue", "Net of returns", "whole_pounds")] if is_end else []),
            Column("days_median", "Typical days since last order", "decimal"),
            Column("orders_median", "Typical orders", "decimal"),
            Column("sales_median", "Typical sales", "whole_pounds"),
        ),
        rows,
    )
    note = (
        f"As of {view.end()}; the change is of the same customers. Typical: the median. Sales: all until then, before "
        "returns. A segment is relative to the other customers of its month."
        f"{'' if is_end else ' ' + net_of_today(view)}{held_twice(sales, once)}"
    )
    return Figure("segments", "How large is each segment, and what is it worth?", table, note=note)


def _areas(view: View, statistics: dict[str, Row]) -> Figure:
    """By customers, or by what they bought."""
    by_sales = view.filters.area == "sales"
    column, what = ("monetary", "sales before returns") if by_sales else ("customers", "customers")
    kind: Kind = "whole_pounds" if by_sales else "count"
    customers = sum(row["customers"] for row in statistics.values())
    total = sum(row[column] for row in statistics.values())
    shown = [name for name in view.choices.segments if name in statistics]

    def said(name: str) -> str:
        value = written(statistics[name][column], kind)
        is_few = customers < FEWEST
        return value if is_few else f"{value} ({share(statistics[name][column], total, customers=customers)})"

    boxes = [
        Box(
            name,
            said(name),
            float(statistics[name][column]),
            colour(view, name),
            view.link_segment(name),
            view.choices.segments[name].position,
        )
        for name in shown
    ]
    table = Table(
        (
            Column("number", "No.", "count"),
            Column("segment", "Segment"),
            Column(what.replace(" ", "_"), what.capitalize(), kind),
            Column("share", "Share", "percent"),
        ),
        [
            (
                view.choices.segments[name].position,
                Link(name, view.link_segment(name)),
                statistics[name][column],
                or_few(float(statistics[name][column] / total * 100), customers),
            )
            for name in shown
        ],
    )
    label = f"The segments as areas by their {what}; the table below has the values."
    key = [(f"{box.number} {box.name}", box.fill) for box in boxes]
    return Figure(
        "areas",
        "How are our customers divided?" if not by_sales else "Who brings the sales?",
        table,
        treemap(label, boxes) if boxes else None,
        key=key,
        note=f"Area: {what}. Darker: better customers. A click opens the segment.",
    )


def _grid(view: View, rows: Sequence[Row]) -> Figure:
    """Rows are R, columns F; each cell is its customers."""
    cells = {(row["r_score"], row["f_score"]): row for row in rows}
    most = max((row["customers"] for row in rows), default=0)
    lines_ = []
    for r in range(5, 0, -1):
        line: list[Any] = [f"R {r}"]
        for f in range(1, 6):
            count = cells[r, f]["customers"] if (r, f) in cells else 0
            href = view.link_list(r_score=r, f_score=f)
            line.append(Shade(Link(count, href) if count else 0, shade(count, most)))
        lines_.append(line)
    table = Table(
        (Column("recency", "Recency ↓ Frequency →"), *(Column(f"f_{f}", f"F {f}", "count") for f in range(1, 6))),
        lines_,
    )
    note = (
        "R 5: the fifth of the customers who ordered most recently. F 5: the fifth who ordered most often. "
        "A click lists the customers of a cell."
    )
    return Figure("grid", "How recently and how often do they order?", table, note=note)


def _numbers(view: View, segment: Segment, groups: Sequence[Row], trend: Sequence[Row]) -> list[Number]:
    own = [row for row in groups if row["segment"] == segment.segment]
    count, sales = sum(r["customers"] for r in own), sum((r["monetary"] for r in own), Decimal(0))
    all_count, all_sales = sum(r["customers"] for r in groups), sum((r["monetary"] for r in groups), Decimal(0))
    joined = sum(r["customers"] for r in own if r["segment_before"] != segment.segment)
    left = sum(
        r["customers"] for r in groups if r["segment_before"] == segment.segment and r["segment"] != segment.segment
    )
    earlier = view.moment(view.month_before)
    sizes = {row["snapshot_date"]: row["customers"] for row in trend}
    before = sizes.get(view.choices.snapshots.get(view.month_before), 0)
    changed = [f"{wording.count(before)} in {earlier}, {written(count - before, 'change_count')} since"]
    year_before = view.choices.snapshots.get(view.year_before) if view.filters.step != 12 else None
    last_year = (
        [f"{wording.count(sizes.get(year_before, 0))} in {view.moment(view.year_before)}"] if year_before else []
    )
    of_all = share(count, all_count, customers=all_count)
    of_sales = share(sales, all_sales, customers=all_count)
    return [
        Number(
            "Customers",
            wording.count(count),
            [f"{of_all} of {wording.count(all_count)}", *(changed if view.is_compared else []), *last_year],
        ),
        Number(
            "Sales before returns",
            written(sales, "whole_pounds"),
            [f"{of_sales} of {written(all_sales, 'whole_pounds')}", "all until then"],
        ),
        Number(
            "Joined",
            f"+{wording.count(joined)}",
            [f"since {earlier}"],
            view.link_list(came_from=_others(view, segment, NOT_YET), segments=(segment.segment,)) if joined else "",
        ),
        Number(
            "Left",
            f"−{wording.count(left)}",
            [f"since {earlier}"],
            view.link_list(came_from=(segment.segment,), segments=_others(view, segment)) if left else "",
        ),
    ]


def _others(view: View, segment: Segment, *more: str) -> tuple[str, ...]:
    return tuple(sorted({*view.choices.segments, *more} - {segment.segment}))


def _trend(view: View, segment: Segment, rows: Sequence[Row], along: dict[date, str], height: float) -> Figure:
    """How many they were; `along` is the page at the end of each month."""
    counts = {row["snapshot_date"]: row["customers"] for row in rows}
    months = [month for month in sorted(view.choices.snapshots) if month <= view.as_of]
    points, listed = [], []
    for place, month in enumerate(months):
        count = counts.get(view.choices.snapshots[month], 0)
        href, not_over = along[month], view.not_over(month)
        title = f"{view.moment(month)}: {wording.counted(count, 'customer')}"
        points.append(
            Point(count, label=tick(month, place, len(months)), title=title, link=href, is_partial=bool(not_over))
        )
        listed.append((Link(month, href), not_over, count))
    table = Table(
        (
            Column("month", "End of", "month"),
            NOT_OVER,
            Column("customers", "Customers", "count"),
        ),
        listed,
    )
    drawing = (
        lines(
            f"Customers in {segment.segment} at the end of each month.",
            [Series(segment.segment, points)],
            wording.count,
            height=height,
        )
        if points
        else None
    )
    return Figure(
        "trend",
        "Is the segment growing?",
        table,
        drawing,
        note="Each month by the scores and the figures of that time. A ring: a month that is not over.",
    )


def _moves(view: View, segment: Segment, groups: Sequence[Row], *, is_in: bool) -> Figure:
    own, other = ("segment", "segment_before") if is_in else ("segment_before", "segment")
    places = [*view.choices.segments, NOT_YET]
    found = sorted(
        (row for row in groups if row[own] == segment.segment and row[other] != segment.segment),
        key=lambda row: (-row["customers"], places.index(row[other])),
    )
    stayed = sum(row["customers"] for row in groups if row[own] == row[other] == segment.segment)
    most = max((row["customers"] for row in found), default=0)
    rows: list[tuple[Any, ...]] = [("Stayed", stayed)]
    for row in found:
        href = view.link_list(came_from=(row["segment_before"],), segments=(row["segment"],))
        rows.append(
            (
                FIRST if row[other] == NOT_YET else row[other],
                Bar.of(Link(row["customers"], href), most, colour(view, row[other])),
            )
        )
    earlier = view.moment(view.month_before)
    question = f"Where did they come from since {earlier}?" if is_in else f"Where did those of {earlier} go?"
    table = Table((Column("segment", "From" if is_in else "To"), Column("customers", "Customers", "count")), rows)
    return Figure(
        "came_from" if is_in else "went_to",
        question,
        table,
        note=f"From {view.end(view.month_before)} to {view.end()}.",
    )


def _histogram(view: View, segment: Segment, rows: Sequence[Row], measure: _Measure) -> Figure:
    """How many are in each column, which leads to the list of them."""
    found = {row["position"]: row["customers"] for row in rows if row["kind"] == measure.name}
    median = next(
        (row for row in rows if row["kind"] == "median" and row["segment"] == measure.name and row["customers"]), None
    )
    typical = median["position"] if median and median["customers"] >= FEWEST else None
    bars, listed = [], []
    for place in range(measure.first, len(measure.columns)):
        count, name = found.get(place, 0), measure.columns[place]
        link = view.link_list(segments=(segment.segment,), **_within(measure, place)) if count else ""
        bars.append(
            drawn.Column(
                count,
                name if (place - measure.first) % measure.labelled == 0 and place < 24 else "",
                f"{measure.label} {name}: {wording.counted(count, 'customer')}",
                link,
                is_typical=place == typical,
            )
        )
        listed.append((name, Link(count, link) if link else count))
    return Figure(
        measure.name,
        measure.question,
        Table((Column("from", measure.label), Column("customers", "Customers", "count")), listed),
        drawn.columns(f"{measure.question} Customers by {measure.label.lower()}.", bars, wording.count, height=180),
        _about(view, median, measure.kind) if median else "",
    )


def _about(view: View, median: Row, kind: Kind) -> str:
    """What the dashes are, or why there are none."""
    only = ", ".join(narrowing(view.filters, PICKING))
    whose = f"median of all customers{f' ({only})' if only else ''}"
    if median["customers"] < FEWEST:
        return f"The {whose} is not shown: too few customers."
    return f"Dashes: the {whose}, {written(median['monetary'], kind)}."


def _within(measure: _Measure, place: int) -> dict[str, int | None]:
    """The filters that pick who is counted in a column."""
    if measure.name == "spent":
        above = POUNDS[place + 1] if place + 1 < len(POUNDS) else None
        return {"spent_from": POUNDS[place] or None, "spent_below": above}
    if measure.name == "orders":
        return {"orders_from": place, "orders_to": place if place < 10 else None}
    return {"recency_from": place * 30 or None, "recency_to": place * 30 + 29 if place < 24 else None}


def _countries(view: View, segment: Segment, rows: Sequence[Row]) -> Figure:
    found = sorted(
        (row for row in rows if row["kind"] == "country"), key=lambda row: (-row["customers"], row["country"])
    )
    table = Table(
        (
            Column("country", "Country"),
            Column("customers", "Customers", "count"),
            Column("sales_before_returns", "Sales before returns", "whole_pounds"),
        ),
        [
            (
                Link(row["country"], view.link_list(segments=(segment.segment,), countries=(row["country"],))),
                row["customers"],
                row["monetary"],
            )
            for row in found
        ],
    )
    return Figure("countries", "Where are they?", table)


def _products(view: View, rows: Sequence[Row], segment: Segment) -> Figure:
    table = Table(
        (
            Column("code", "Code"),
            Column("product", "Product"),
            Column("units", "Units", "count"),
            Column("sales_before_returns", "Sales before returns", "whole_pounds"),
        ),
        [(row["code"], row["description"], row["units"], row["sales"]) for row in rows],
    )
    note = (
        "Of twelve months, doubled invoices once, to those who are "
        f"{segment.segment} at the end of the data.{view.unfollowed('as_of', 'segment')}"
    )
    return Figure("products", "What do they buy?", table, note=note)


ALL = Page("/segments", "segments.html", _TABLES, show_all, label="Segments", compares=True)
ONE = Page(
    "/segments/{item}",
    "segment.html",
    (*_TABLES, "audience_members"),
    show_one,
    wished=(*_PRODUCTS, *PREDICTIONS, *CARDS),
    honours=PICKING - {"segment"},
    refusal="The page is of one segment.",
    compares=True,
)
