"""Who is getting better or worse, and where do they go?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from lgs_assets.dashboard.content import Bar, Column, Figure, Link, Shade, Table
from lgs_assets.dashboard.pages.page import Files, Page, Shown, View
from lgs_assets.dashboard.pages.parts import FIRST, shade
from lgs_assets.dashboard.queries import NOT_YET, Row


def show(view: View) -> Shown:
    """The matrix of moves, each number a list of customers; the net flow of each segment; and the causes."""
    # Of all segments: those who left the chosen ones are in others now.
    groups = view.matched("groups", filters=replace(view.filters, segments=()), worth=0)
    shown = [row for row in groups if not view.filters.segments or row["segment"] in view.filters.segments]
    causes = (
        []
        if view.filters.names_customers
        else view.rows("causes", step=view.filters.step, snapshot=view.choices.snapshots[view.as_of])
    )
    files: Files = {
        "matrix": _matrix(view, shown),
        "net": net_flow(view, groups),
        "stake": _stake(view, groups),
    }
    if causes:
        files["causes"] = _causes(causes)
    moved = sum(row["customers"] for row in shown if row["segment"] != row["segment_before"] != NOT_YET)
    known = sum(row["customers"] for row in shown if row["segment_before"] != NOT_YET)
    return Shown(
        "Who is getting better or worse, and where do they go?",
        {"causes": None, **files, "moved": moved, "known": known},
        files,
        picked=sum(row["customers"] for row in shown),
    )


def _matrix(view: View, groups: Sequence[Row]) -> Figure:
    counts = {(row["segment_before"], row["segment"]): row["customers"] for row in groups}
    names = list(view.choices.segments)
    most = max((count for (a, b), count in counts.items() if a != b), default=0)
    rows = []
    for before in [*names, NOT_YET]:
        line: list[Any] = [before if before != NOT_YET else FIRST]
        for now in names:
            count = counts.get((before, now), 0)
            value = Link(count, view.link_list(came_from=(before,), segments=(now,))) if count else ""
            line.append(value if before == now or not count else Shade(value, shade(count, most)))
        line.append(sum(counts.get((before, now), 0) for now in names))
        rows.append(line)
    rows.append(
        ["Together", *(sum(counts.get((b, now), 0) for b in [*names, NOT_YET]) for now in names), sum(counts.values())]
    )
    table = Table(
        (
            Column("from", "From ↓ to →"),
            *(Column(n, n, "count") for n in names),
            Column("together", "Together", "count"),
        ),
        rows,
    )
    note = (
        "Rows: the segment then. Columns: the segment now. Those on the diagonal stayed. A click on a number lists "
        "these customers. The best segments come first."
    )
    return Figure("matrix", f"Who moved from {view.moment(view.month_before)} to {view.moment()}?", table, note=note)


def net_flow(view: View, groups: Sequence[Row]) -> Figure:
    """How many joined and left each segment."""
    flows = []
    for name in view.segments:
        gained = sum(r["customers"] for r in groups if r["segment"] == name != r["segment_before"])
        lost = sum(r["customers"] for r in groups if r["segment_before"] == name != r["segment"])
        flows.append((name, gained, lost))
    most = max((abs(gained - lost) for _, gained, lost in flows), default=0)
    rows = [
        (
            Link(name, view.link_segment(name)),
            gained,
            lost,
            Bar.of(gained - lost, most, diverges=True),
        )
        for name, gained, lost in flows
    ]
    table = Table(
        (
            Column("segment", "Segment"),
            Column("joined", "Joined", "count"),
            Column("left", "Left", "count"),
            Column("net", "Net", "change_count"),
        ),
        rows,
    )
    note = f"Joined: from other segments, and first orders. Since {view.end(view.month_before)}."
    return Figure("net", "Which segments grow, and which shrink?", table, note=note)


def _stake(view: View, groups: Sequence[Row]) -> Figure:
    """What those who moved had spent until the first of the two moments, and what they have bought since."""
    rows = []
    for name in view.segments:
        joined = [r for r in groups if r["segment"] == name != r["segment_before"]]
        left = [r for r in groups if r["segment_before"] == name != r["segment"]]
        came, went = (sum((r["monetary_before"] for r in moved), Decimal(0)) for moved in (joined, left))
        since = sum((r["monetary_once"] - r["monetary_once_before"] for r in left), Decimal(0))
        rows.append((name, came, went, since, came - went))
    most = max((abs(net) for *_, net in rows), default=0)
    table = Table(
        (
            Column("segment", "Segment"),
            Column("came_with", "Came with those who joined", "whole_pounds"),
            Column("went_with", "Went with those who left", "whole_pounds"),
            Column("bought_since", "Bought since by these", "whole_pounds"),
            Column("net", "Net", "change_pounds"),
        ),
        [
            (Link(name, view.link_segment(name)), came, went, since, Bar.of(net, most, diverges=True))
            for name, came, went, since, net in rows
        ],
    )
    twice = " Invoices held twice count twice in that past, and once in what was bought since."
    note = (
        f"Sales before returns until {view.end(view.month_before)}: customers take their past with them "
        "when they move. First orders come with nothing. What leaves Champions and Loyal Customers is at stake."
        f"{twice if any(r['monetary'] != r['monetary_once'] for r in groups) else ''}"
    )
    return Figure("stake", "How much revenue is at stake?", table, note=note)


def _causes(rows: Sequence[Row]) -> Figure:
    moved = [row for row in rows if row["cause"] not in ("stayed", "boundary offset the change")]
    most = max((row["customers"] for row in moved), default=0)
    table = Table(
        (Column("cause", "Cause"), Column("customers", "Customers", "count")),
        [(row["cause"].capitalize(), Bar.of(row["customers"], most)) for row in moved],
    )
    note = (
        "Purchase or ageing: their own orders, or time without one, moved them. Boundary: others moved, and with them "
        "the edges of the scores; the customer did nothing. Judged first on the edges of the earlier moment: beginning "
        "with those of the later one would attribute some moves otherwise."
    )
    return Figure("causes", "Why did they move?", table, note=note)


PAGE = Page(
    "/movements",
    "movements.html",
    ("rfm_history", "customer_profile", "customer_groups", "segment_migrations"),
    show,
    label="Movements",
    compares=True,
)
