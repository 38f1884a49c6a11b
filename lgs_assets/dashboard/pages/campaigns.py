"""Whom do we write to, and what was sent? The audiences, and one of them.

Nothing is applied from here: a plan that waits is shown with the command that applies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.charts import style
from lgs_assets.dashboard.content import Bar, Column, Figure, Number, Table, written
from lgs_assets.dashboard.figures import columns as drawn
from lgs_assets.dashboard.figures.lines import Point, Series, Spark, lines, sparks
from lgs_assets.dashboard.filters import PICKING
from lgs_assets.dashboard.pages import activation
from lgs_assets.dashboard.pages.page import Files, NothingThereError, Page, Shown, View
from lgs_assets.dashboard.pages.parts import customer_list
from lgs_assets.dashboard.pages.predictions import CARDS, PREDICTIONS, expectations
from lgs_assets.dashboard.queries import Row

TABLES: Final = ("audiences", "audience_members", "audience_history", "audience_facts")
_LABELS: Final = 5


def show_all(view: View) -> Shown:
    """Every audience with its size over time, the plans that wait, what was sent, and who is never written to."""
    audiences = view.matched("audiences", filters=replace(view.filters, as_of=view.choices.latest), audience=None)
    history = _by_audience(view.rows("audience_history", audience=None))
    ledger = activation.ledger(view)
    files: Files = {
        "audiences": _audiences(view, audiences),
        "changes": _changes(view, history),
        "plans": activation.plans(view, ledger["plans"]),
        "receipts": activation.receipts(view, ledger["receipts"]),
        "held": activation.held(view, ledger["held"]),
        "left_out": activation.left_out(ledger),
    }
    return Shown(
        "Whom do we write to, and what was sent?",
        {
            "numbers": _numbers(audiences, ledger),
            "waiting": ledger["waiting"],
            **files,
        },
        files,
    )


def show_one(view: View) -> Shown:
    """One audience: its rule in words, its size over time, where it is held, its plans, and its members."""
    now = replace(view.filters, as_of=view.choices.latest)
    found = view.matched("audiences", filters=now, audience=view.item)
    if not found:
        raise NothingThereError(f"There is no audience {view.item}.")
    audience = found[0]
    history = view.rows("audience_history", audience=view.item)
    ledger = activation.ledger(view, audience=view.item)
    members, summary = customer_list(
        view,
        path=f"/campaigns/{view.item}",
        name="members",
        query="audience_list",
        as_of=view.choices.latest,
        audience=view.item,
    )
    files: Files = {
        "history": _history(view, history),
        "flows": _flows(view, history),
        "held": activation.held(view, ledger["held"]),
        "plans": activation.plans(view, ledger["plans"]),
        "members": members,
    }
    return Shown(
        audience["audience"].replace("_", " ").capitalize(),
        {
            "audience": audience,
            "numbers": _numbers_of(view, audience),
            "waiting": ledger["waiting"],
            "summary": summary,
            **files,
        },
        files,
        picked=None if summary["is_beyond"] else summary["count"],
    )


def _by_audience(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["audience"], []).append(row)
    return found


def _numbers(audiences: Sequence[Row], ledger: dict[str, Any]) -> list[Number]:
    waiting = len(ledger["waiting"])
    places = len({held["destination"] for held in ledger["held"] if held["customers"]})
    excluded = ledger["excluded"]
    return [
        Number("Audiences", wording.count(len(audiences)), ["each a rule that was reviewed"]),
        Number(
            "On lists elsewhere",
            wording.count(sum(held["customers"] for held in ledger["held"])),
            [f"entries, at {wording.counted(places, 'destination')}" if places else "nothing was sent yet"],
            "#held",
        ),
        Number(
            "Plans that wait",
            wording.count(waiting),
            ["for somebody to review and apply" if waiting else "nothing to review"],
            "#waiting",
        ),
        Number(
            "Never written to",
            wording.count(sum(excluded.values())),
            [", ".join(f"{wording.count(n)} {reason}" for reason, n in sorted(excluded.items())) or "nobody objected"],
            "#left_out",
        ),
    ]


def _audiences(view: View, rows: Sequence[Row]) -> Figure:
    most = max((row["members"] for row in rows), default=0)
    table = Table.of(
        (
            Column("audience", "Audience"),
            Column("rule", "Who is in it"),
            Column("members", "Members", "count"),
            Column("entered", "Entered", "change_count"),
            Column("left", "Left", "change_count"),
            Column("sales_before_returns", "Sales before returns", "whole_pounds"),
            Column("expected", "Expected in 182 days", "whole_pounds"),
            Column("high_risk", "At high risk", "count"),
            Column("held", "On lists", "count"),
        ),
        (
            {
                **row,
                "audience": activation.audience_link(view, row["audience"]),
                "rule": row["words"],
                "members": Bar.of(row["members"], most),
                "left": -row["left_since"] if row["left_since"] is not None else None,
                "sales_before_returns": row["monetary"],
                "expected": row["value"],
                "high_risk": row["at_risk"],
            }
            for row in rows
        ),
    )
    note = (
        "Members at the end of the data, without those who objected. Entered and left: when the audience last changed, "
        "whatever the filters. On lists: customers whom we put on the list of a destination. "
        f"{expectations(view.reading)}"
    )
    return Figure("audiences", "Whom do we speak to?", table, note=note)


def _changes(view: View, history: dict[str, list[Row]]) -> Figure:
    """The members of each audience that was recorded more than once, on one small line each."""
    found = {name: rows for name, rows in history.items() if len(rows) > 1}
    moments = sorted({row["snapshot_date"] for rows in found.values() for row in rows})
    members = {name: {row["snapshot_date"]: row["members"] for row in rows} for name, rows in found.items()}
    table = Table(
        (Column("until", "End of", "day"), *(Column(name, name, "count") for name in found)),
        [(view.choices.last_day(moment), *(known.get(moment) for known in members.values())) for moment in moments],
    )
    small = [
        Spark(name, [row["members"] for row in rows], _members(rows[-1]), view.link(f"/campaigns/{name}"))
        for name, rows in found.items()
    ]
    return Figure(
        "changes",
        "How has each changed?",
        table,
        sparks("Members of each audience over time. The table below has the values.", small) if small else None,
        note="Members whenever the data moved on, each audience on its own scale. A click opens the audience.",
    )


def _numbers_of(view: View, audience: Row) -> list[Number]:
    changed = audience["snapshot_date"]
    flow = (
        f"{wording.count(audience['entered'])} entered, {wording.count(audience['left_since'])} left "
        f"by {wording.day(view.choices.last_day(changed))}"
        if changed
        else "nobody entered yet"
    )
    limits = f"allowed: {wording.count(audience['at_least'])} to "
    limits += wording.count(audience["at_most"]) if audience["at_most"] is not None else "any number"
    expected = audience["value"]
    return [
        Number("Members", wording.count(audience["members"]), [flow, limits]),
        Number(
            "Sales before returns",
            written(audience["monetary"], "whole_pounds"),
            [f"{written(audience['net_revenue'], 'whole_pounds')} net, to date"],
        ),
        Number(
            "Expected in 182 days",
            written(expected, "whole_pounds"),
            ["sales before returns" if expected is not None else "nothing is predicted"],
        ),
        Number(
            "At high risk",
            wording.count(audience["at_risk"]),
            ["of no order within 90 days"],
            view.link(f"/campaigns/{audience['audience']}", sort="risk_band"),
        ),
        Number("On lists", wording.count(audience["held"]), ["confirmed by a destination"], "#held"),
    ]


def _history(view: View, rows: Sequence[Row]) -> Figure:
    days = [view.choices.last_day(row["snapshot_date"]) for row in rows]
    points = [
        Point(row["members"], label=_tick(days, place), title=f"{wording.day(days[place])}: {_members(row)}")
        for place, row in enumerate(rows)
    ]
    table = Table(
        (Column("until", "End of", "day"), Column("members", "Members", "count")),
        [(day, row["members"]) for day, row in zip(days, rows, strict=True)],
    )
    label = "Members of the audience whenever the data moved on. The table below has the values."
    note = "Recorded since the first run: who was a member before it is not known."
    drawing = lines(label, [Series("members", points)], wording.count) if len(rows) > 1 else None
    return Figure("history", "How has it grown?", table, drawing, note)


def _flows(view: View, rows: Sequence[Row]) -> Figure:
    """Those who entered, upwards, and left, downwards; not at the first state, at which all enter."""
    days = [view.choices.last_day(row["snapshot_date"]) for row in rows]
    bars = [
        drawn.Column(
            row["entered"],
            _tick(days[1:], place),
            f"{wording.day(days[1:][place])}: {wording.count(row['entered'])} entered, "
            f"{wording.count(row['left_since'])} left; {_members(row)}",
            below=row["left_since"],
        )
        for place, row in enumerate(rows[1:])
    ]
    table = Table(
        (Column("until", "End of", "day"), Column("entered", "Entered", "count"), Column("left", "Left", "count")),
        [(day, row["entered"], row["left_since"]) for day, row in zip(days, rows, strict=True)],
    )
    return Figure(
        "flows",
        "Who enters, and who leaves?",
        table,
        drawn.columns("Who entered, upwards, and left, downwards.", bars, wording.count) if bars else None,
        ""
        if bars
        else "The first state of the data that was recorded: what enters and leaves is told from the next one on.",
        (("entered", style.BLUE), ("left", style.ORANGE)) if bars else (),
    )


def _members(row: Row) -> str:
    return wording.counted(row["members"], "member")


def _tick(days: Sequence[date], place: int) -> str:
    """The label of a state: as many as there is room for on a phone, the last one among them."""
    every = -(-len(days) // _LABELS)
    return wording.month(days[place]) if (len(days) - 1 - place) % every == 0 else ""


_HONOURS: Final = PICKING - {"as_of"}
_REFUSAL: Final = "Members are those of the end of the data."
ALL = Page(
    "/campaigns",
    "campaigns.html",
    ("rfm_history", *TABLES),
    show_all,
    label="Campaigns",
    wished=(*PREDICTIONS, *CARDS),
    honours=_HONOURS - {"step"},
    refusal=_REFUSAL,
    is_live=True,
)
ONE = Page(
    "/campaigns/{item}",
    "campaign.html",
    ("rfm_history", *TABLES),
    show_one,
    wished=(*PREDICTIONS, *CARDS),
    honours=_HONOURS,
    refusal=_REFUSAL,
    is_live=True,
)
