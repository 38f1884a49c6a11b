"""Who are our customers, how large is each group, and what do we do with it? All segments, and each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from lgs_assets.charts import wording
from lgs_assets.dashboard.content import FEWEST, Bar, Column, Figure, Kind, Link, Number, Shade, Table, share, written
from lgs_assets.dashboard.figures import columns as drawn
from lgs_assets.dashboard.figures.lines import Point, Series, Spark, lines, sparks
from lgs_assets.dashboard.figures.treemap import Box, treemap
from lgs_assets.dashboard.filters import AREAS, PICKING, Filters
from lgs_assets.dashboard.pages.movements import net_flow
from lgs_assets.dashboard.pages.page import NothingThereError, Page, Shown, View
from lgs_assets.dashboard.pages.parts import CARDS, FIRST, PREDICTIONS, colour, customer_list, or_few, shade, tick
from lgs_assets.dashboard.queries import NOT_YET, Row, Segment

_EDGES: Final = ("<£100", "£100", "£250", "£500", "£1k", "£2.5k", "£5k", "£10k")
_POUNDS: Final = (0, 100, 250, 500, 1000, 2500, 5000, 10_000)
_TABLES: Final = ("rfm_history", "customer_profile")
_MOMENT: Final = timedelta(microseconds=1)
"""Before a snapshot: the last moment that it holds."""


def show_all(view: View) -> Shown:
    """The segments as areas, as a table with what is typical of each, and the grid of scores behind them."""
    statistics = {row["segment"]: row for row in view.matched("segment_statistics")}
    growth = _growth(view, _by_segment(view.reading.trend(view.filters)))
    grid = view.matched("grid")
    moves = view.matched("groups", filters=replace(view.filters, segments=()), worth=0)
    table = _table(view, statistics, moves)
    areas = _areas(view, statistics)
    scores, net = _grid(view, grid), net_flow(view, moves)
    return Shown(
        "Who are our customers, and what do we do with them?",
        {
            "areas": areas,
            "switch": [(f"by {area}", view.filters.url("/segments", area=area), area) for area in AREAS],
            "segments": table,
            "grid": scores,
            "net": net,
            "growth": growth,
            "moment": view.moment(),
        },
        {"areas": areas, "segments": table, "grid": scores, "net": net, "growth": growth},
        picked=sum(row["customers"] for row in statistics.values()),
    )


def show_one(view: View) -> Shown:
    """One segment: who they are, what to do, how many over time, where from and where to, what they buy, who."""
    segment = next((known for known in view.choices.segments.values() if known.slug == view.item), None)
    if segment is None:
        raise NothingThereError(f"There is no segment {view.item}.")
    path = f"/segments/{segment.slug}"
    printed = replace(view.filters, page=1, search=None).url(f"/report/{segment.slug}")
    along = {month: view.link(path, as_of=month) for month in view.choices.snapshots}
    of_segment = replace(view.filters, segments=(segment.segment,))
    view = replace(view, filters=of_segment)
    everybody = replace(of_segment.customers_only(), segments=(), search=None)  # a search is of the list below
    profile = view.matched("segment_profile", filters=everybody, segment=segment.segment)
    groups = [row for row in profile if row["kind"] == "move"]
    trend = view.reading.trend(replace(of_segment, search=None))
    customers, summary = customer_list(view, path=path)
    products = (
        view.rows("segment_products", as_of=view.as_of, segments=[segment.segment])
        if "segment_products" in view.reading.tables
        else []
    )
    waited = [*(f"{n * 30}" for n in range(24)), "720+"]
    figures = {
        "trend": _trend(view, segment, trend, along),
        "came_from": _moves(view, segment, groups, is_in=True),
        "went_to": _moves(view, segment, groups, is_in=False),
        "spent": _histogram(view, profile, "spent", "How much did they spend?", list(_EDGES), "Sales before returns"),
        "orders": _histogram(
            view, profile, "orders", "How often did they order?", [*(str(n) for n in range(10)), "10+"], "Orders"
        ),
        "days": _histogram(view, profile, "days", "How long ago did they last order?", waited, "Days"),
        "countries": _countries(view, profile),
        "products": _products(view, products, segment),
    }
    rows = [row for row in groups if row["segment"] == segment.segment]
    return Shown(
        segment.segment,
        {
            "segment": segment,
            "numbers": _numbers(view, segment, groups),
            "customers": customers,
            "summary": summary,
            "moment": view.moment(),
            "size": sum(row["customers"] for row in rows),
            "listed": view.link("/customers", search=None),
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
        [
            (min(moment - _MOMENT, view.choices.until).date(), *values)
            for moment, *values in zip(moments, *counts.values(), strict=True)
        ],
    )
    known = view.choices.months.get(view.as_of)
    small = [
        Spark(
            name,
            values,
            wording.counted(values[-1], "customer"),
            view.link_segment(name),
            is_partial=bool(known and known.is_partial),
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
    is_known = view.reading.snapshot_before(view.filters) is not None
    rows = []
    for name in view.choices.segments:
        if view.filters.segments and name not in view.filters.segments:
            continue
        row = statistics.get(name)
        count = row["customers"] if row else 0
        earlier = sum(move["customers"] for move in moves if move["segment_before"] == name)
        change = count - earlier if is_known else None
        rows.append(
            (
                Link(name, view.link_segment(name)),
                count,
                or_few(count / total * 100 if total else None, total),
                change,
                row["monetary"] if row else Decimal(0),
                or_few(float(row["monetary"] / sales * 100) if row and sales else None, total),
                row["net_revenue"] if row else Decimal(0),
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
            Column("net_to_date", "Net, to date", "whole_pounds"),
            Column("days_median", "Typical days since last order", "decimal"),
            Column("orders_median", "Typical orders", "decimal"),
            Column("sales_median", "Typical sales", "whole_pounds"),
        ),
        rows,
    )
    note = (
        f"As of the end of {view.moment()}; the change is of the same customers. "
        "Typical: the median. Sales: all until then, before returns. Net: all to date, after returns. A segment is "
        "relative to the other customers of its month."
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
            Column(column, what.capitalize(), kind),
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
            href = view.link("/customers", r_score=r, f_score=f)
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


def _numbers(view: View, segment: Segment, groups: Sequence[Row]) -> list[Number]:
    own = [row for row in groups if row["segment"] == segment.segment]
    count, sales = sum(r["customers"] for r in own), sum((r["monetary"] for r in own), Decimal(0))
    all_count, all_sales = sum(r["customers"] for r in groups), sum((r["monetary"] for r in groups), Decimal(0))
    before = sum(r["customers"] for r in groups if r["segment_before"] == segment.segment)
    joined = sum(r["customers"] for r in own if r["segment_before"] != segment.segment)
    left = sum(
        r["customers"] for r in groups if r["segment_before"] == segment.segment and r["segment"] != segment.segment
    )
    earlier = view.moment(view.month_before)
    of_all = share(count, all_count, customers=all_count)
    of_sales = share(sales, all_sales, customers=all_count)
    return [
        Number(
            "Customers",
            wording.count(count),
            [f"{of_all} of {wording.count(all_count)}", f"{wording.count(before)} in {earlier}"],
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
            view.link("/customers", came_from=_others(view, segment)),
        ),
        Number(
            "Left",
            f"−{wording.count(left)}",
            [f"since {earlier}"],
            view.link("/customers", came_from=(segment.segment,), segments=_others(view, segment, is_from=False)),
        ),
    ]


def _others(view: View, segment: Segment, *, is_from: bool = True) -> tuple[str, ...]:
    names = [name for name in view.choices.segments if name != segment.segment]
    return tuple(sorted([*names, NOT_YET] if is_from else names))


def _trend(view: View, segment: Segment, rows: Sequence[Row], along: dict[date, str]) -> Figure:
    """How many they were; `along` is the page at the end of each month."""
    counts = {row["snapshot_date"]: row["customers"] for row in rows}
    months = [month for month in sorted(view.choices.snapshots) if month <= view.as_of]
    points, listed = [], []
    for place, month in enumerate(months):
        count = counts.get(view.choices.snapshots[month], 0)
        known = view.choices.months.get(month)
        href = along[month]
        is_partial = bool(known and known.is_partial)
        title = f"{view.moment(month)}: {wording.counted(count, 'customer')}"
        points.append(
            Point(count, label=tick(month, place, len(months)), title=title, link=href, is_partial=is_partial)
        )
        listed.append((Link(month, href), count))
    table = Table(
        (
            Column("month", "End of", "month"),
            Column("customers", "Customers", "count"),
        ),
        listed,
    )
    drawing = (
        lines(
            f"Customers in {segment.segment} at the end of each month.",
            [Series(segment.segment, points)],
            wording.count,
            height=300,  # beside the moves, a row for each segment
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
    found = sorted(
        (row for row in groups if row[own] == segment.segment and row[other] != segment.segment),
        key=lambda row: -row["customers"],
    )
    stayed = sum(row["customers"] for row in groups if row[own] == row[other] == segment.segment)
    most = max((row["customers"] for row in found), default=1)
    rows: list[tuple[Any, ...]] = [("Stayed", stayed)]
    for row in found:
        moved = {"came_from": (row["segment_before"],), "segments": (row["segment"],)}
        rows.append(
            (
                FIRST if row[other] == NOT_YET else row[other],
                Bar(
                    Link(row["customers"], view.link("/customers", **moved)),
                    row["customers"] / most * 100,
                    colour(view, row[other]),
                ),
            )
        )
    earlier, now = view.moment(view.month_before), view.moment()
    question = f"Where did they come from since {earlier}?" if is_in else f"Where did those of {earlier} go?"
    table = Table((Column("segment", "From" if is_in else "To"), Column("customers", "Customers", "count")), rows)
    return Figure(
        "came_from" if is_in else "went_to", question, table, note=f"From the end of {earlier} to the end of {now}."
    )


def _within(filters: Filters, kind: str, place: int) -> dict[str, int | None]:
    """The filters that pick who is counted in a column, of those whom the filters of the page pick."""
    low: int | None
    high: int | None
    if kind == "spent":
        low, high = _POUNDS[place] or None, _POUNDS[place + 1] if place + 1 < len(_POUNDS) else None
        names = ("spent_from", "spent_below")
    elif kind == "orders":
        low, high = place, place if place < 10 else None
        names = ("orders_from", "orders_to")
    else:
        low, high = place * 30 or None, place * 30 + 29 if place < 24 else None
        names = ("recency_from", "recency_to")
    lows = [end for end in (low, getattr(filters, names[0])) if end is not None]
    highs = [end for end in (high, getattr(filters, names[1])) if end is not None]
    return {names[0]: max(lows, default=None), names[1]: min(highs, default=None)}


def _histogram(view: View, rows: Sequence[Row], kind: str, question: str, names: list[str], what: str) -> Figure:
    """How many are in each column, which leads to the list of them."""
    found = {row["position"]: row for row in rows if row["kind"] == kind}
    places = range(1 if kind == "orders" else 0, len(names))
    counts = [found[place]["customers"] if place in found else 0 for place in places]
    middle = next((row for row in rows if row["kind"] == "median" and row["segment"] == kind and row["monetary"]), None)
    typical = middle["position"] if middle else None
    shown: Kind = "whole_pounds" if kind == "spent" else "count"
    note = f"Dashes: the median of all customers, {written(middle['monetary'], shown)}." if middle else ""
    every = {"days": 6, "orders": 3}.get(kind, 2)
    first = places[0]
    links = [
        view.link("/customers", search=None, **_within(view.filters, kind, place)) if count else ""
        for place, count in zip(places, counts, strict=True)
    ]
    bars = [
        drawn.Column(
            count,
            names[place] if (place - first) % every == 0 and place < 24 else "",
            f"{what} {names[place]}: {wording.counted(count, 'customer')}",
            link,
            is_typical=place == typical,
        )
        for place, count, link in zip(places, counts, links, strict=True)
    ]
    table = Table(
        (Column("from", what), Column("customers", "Customers", "count")),
        [
            (names[place], Link(count, link) if link else count)
            for place, count, link in zip(places, counts, links, strict=True)
        ],
    )
    return Figure(
        kind,
        question,
        table,
        drawn.columns(f"{question} Customers by {what.lower()}.", bars, wording.count, height=180),
        note,
    )


def _countries(view: View, rows: Sequence[Row]) -> Figure:
    found = sorted(
        (row for row in rows if row["kind"] == "country"), key=lambda row: (-row["customers"], row["country"])
    )
    table = Table(
        (
            Column("country", "Country"),
            Column("customers", "Customers", "count"),
            Column("sales", "Sales before returns", "whole_pounds"),
        ),
        [
            (
                Link(row["country"], view.link("/customers", countries=(row["country"],))),
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
            Column("sales", "Sales", "whole_pounds"),
        ),
        [(row["code"], row["description"], row["units"], row["sales"]) for row in rows],
    )
    note = (
        "Sales before returns in twelve months, doubled invoices once, to those who are "
        f"{segment.segment} at the end of the data.{view.unfollowed('as_of', 'segment')}"
    )
    return Figure("products", "What do they buy?", table, note=note)


ALL = Page("/segments", "segments.html", _TABLES, show_all, label="Segments")
ONE = Page(
    "/segments/{item}",
    "segment.html",
    (*_TABLES, "audience_members"),
    show_one,
    wished=("segment_products", "products", *PREDICTIONS, *CARDS),
    honours=PICKING - {"segment"},
    refusal="The page is of one segment.",
    is_live=True,
)
