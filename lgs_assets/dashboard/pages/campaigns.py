"""Whom do we write to, and what was sent? The audiences, one audience, and what the ledgers of activation hold.

Nothing is applied from here: a plan that waits is shown with the command that applies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.charts import style
from lgs_assets.dashboard.content import Bar, Column, Figure, Link, Number, Table, written
from lgs_assets.dashboard.figures import columns as drawn
from lgs_assets.dashboard.figures.lines import Point, Series, Spark, lines, sparks
from lgs_assets.dashboard.filters import PICKING
from lgs_assets.dashboard.pages.page import Files, NothingThereError, Page, Shown, View
from lgs_assets.dashboard.pages.parts import customer_list
from lgs_assets.dashboard.pages.predictions import CARDS, PREDICTIONS, expectations
from lgs_assets.dashboard.queries import Row

TABLES: Final = ("audiences", "audience_members", "audience_history", "audience_facts")
_WAITING: Final = ("planned", "applying")
_PLANS, _RECEIPTS = 20, 15
"""How many of the last are shown."""
_LABELS: Final = 5
_PLAN_COLUMNS: Final = (
    Column("plan", "Plan", "count"),
    Column("audience", "Audience"),
    Column("destination", "Destination"),
    Column("adds", "Add", "count"),
    Column("updates", "Update", "count"),
    Column("removes", "Remove", "count"),
    Column("state", "What became of it"),
    Column("accepted", "Accepted", "count"),
    Column("rejected", "Rejected", "count"),
    Column("withheld", "Withheld", "count"),
    Column("made_at", "Made, UTC", "moment"),
    Column("ended_at", "Ended, UTC", "moment"),
    Column("allowed", "Allowed beyond guards"),
    Column("applied_by", "Applied by"),
)


def show_all(view: View) -> Shown:
    """Every audience with its size over time, the plans that wait, what was sent, and who is never written to."""
    audiences = view.matched("audiences", filters=replace(view.filters, as_of=view.choices.latest), audience=None)
    history = _by_audience(view.rows("audience_history", audience=None))
    ledger = _ledger(view)
    files: Files = {
        "audiences": _audiences(view, audiences),
        "changes": _changes(view, history),
        "plans": _plans(view, ledger["plans"]),
        "receipts": _receipts(view, ledger["receipts"]),
        "held": _held(view, ledger["held"]),
        "left_out": _left_out(ledger),
    }
    return Shown(
        "Whom do we write to, and what was sent?",
        {
            "numbers": _numbers(audiences, ledger),
            "waiting": [plan for plan in ledger["plans"] if plan["state"] in _WAITING],
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
    ledger = _ledger(view, audience=view.item)
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
        "held": _held(view, ledger["held"]),
        "plans": _plans(view, ledger["plans"]),
        "members": members,
    }
    return Shown(
        audience["audience"].replace("_", " ").capitalize(),
        {
            "audience": audience,
            "numbers": _numbers_of(view, audience),
            "waiting": [plan for plan in ledger["plans"] if plan["state"] in _WAITING],
            "summary": summary,
            **files,
        },
        files,
        picked=None if summary["is_beyond"] else summary["count"],
    )


def _ledger(view: View, audience: str | None = None) -> dict[str, Any]:
    row = dict(view.rows("activation", audience=audience, plans=_PLANS, receipts=_RECEIPTS)[0])
    for kind in ("plans", "receipts", "held"):
        row[kind] = [
            {name: _moment(value) if name.endswith("_at") else value for name, value in found.items()}
            for found in row[kind]
        ]
    return row


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _by_audience(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["audience"], []).append(row)
    return found


def _numbers(audiences: Sequence[Row], ledger: dict[str, Any]) -> list[Number]:
    waiting = sum(plan["state"] in _WAITING for plan in ledger["plans"])
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
    table = Table(
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
        [
            (
                _link(view, row["audience"]),
                row["words"],
                Bar.of(row["members"], most),
                row["entered"],
                -row["left_since"] if row["left_since"] is not None else None,
                row["monetary"],
                row["value"],
                row["at_risk"],
                row["held"],
            )
            for row in rows
        ],
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


def _list_of(view: View, row: Row) -> Link | str:
    """Which list a row of a ledger is about. A deletion is about none of them."""
    if not row["is_declared"]:
        return f"{row['audience']} (its file is gone)" if row["audience"] else "every list"
    return _link(view, row["audience"])


def _link(view: View, audience: str) -> Link:
    return Link(audience, view.link(f"/campaigns/{audience}"))


def _plans(view: View, rows: Sequence[Row]) -> Figure:
    table = Table(
        _PLAN_COLUMNS,
        [
            (
                row["plan"],
                _list_of(view, row),
                row["destination"],
                row["adds"],
                row["updates"],
                row["removes"],
                "too old to apply" if row["state"] in _WAITING and row["is_old"] else row["state"],
                *(row["answers"].get(state, 0) for state in ("accepted", "rejected", "withheld")),
                row["made_at"],
                row["ended_at"],
                ", ".join(f"{what} {value}" for what, value in sorted(row["allowed"].items())) or None,
                row["applied_by"],
            )
            for row in rows
        ],
    )
    note = (
        f"Those that wait, and the last {_PLANS}, whatever the filters. Partial: rows were rejected by the "
        "destination, or withheld as they could no longer be sent. Refused: a guard found the change too large, or the "
        "members too old."
    )
    return Figure("plans", "What was planned, and what became of it?", table, note=note)


def _receipts(view: View, rows: Sequence[Row]) -> Figure:
    table = Table(
        (
            Column("receipt", "Receipt", "count"),
            Column("audience", "Audience"),
            Column("destination", "Destination"),
            Column("plan", "Plan", "count"),
            Column("batch", "Batch", "count"),
            Column("attempt", "Attempt", "count"),
            Column("rows", "Changes", "count"),
            Column("sent_at", "Sent, UTC", "moment"),
            Column("status", "Answer"),
            Column("outcome", "What came of it"),
        ),
        [
            (
                row["receipt"],
                _list_of(view, row),
                row["destination"],
                row["plan"],
                row["batch"],
                row["attempt"],
                row["row_count"],
                row["sent_at"],
                str(row["status"] or "none"),
                row["outcome"],
            )
            for row in rows
        ],
    )
    note = f"A receipt for each request, kept for good; the last {_RECEIPTS} at most. No address is in any of them."
    return Figure("receipts", "What was sent, and what was answered?", table, note=note)


def _held(view: View, rows: Sequence[Row]) -> Figure:
    most = max((row["customers"] for row in rows), default=0)
    table = Table(
        (
            Column("destination", "Destination"),
            Column("audience", "Audience"),
            Column("customers", "Customers", "count"),
            Column("confirmed_at", "Last confirmed, UTC", "moment"),
            Column("checked_at", "Read back, UTC", "moment"),
            Column("missing", "Missing then", "count"),
            Column("not_ours", "Not ours", "count"),
            Column("barred", "Not to be written to", "count"),
            Column("objected", "Objected there", "count"),
            Column("unknown", "Not checkable", "count"),
            Column("left_behind", "Left behind", "count"),
        ),
        [
            (
                row["destination"],
                _list_of(view, row),
                Bar.of(row["customers"], most),
                *(row[name] for name in ("confirmed_at", "checked_at", "missing", "not_ours", "barred")),
                *(row[name] for name in ("objected", "unknown")),
                row["left_behind"] or None,
            )
            for row in rows
        ],
    )
    note = (
        "Customers whom a destination confirmed, or who may have arrived by a request without an answer. Where a list "
        "can be read back (lgs activate drift, and nightly): who was missing then, whom somebody else had put there "
        "(left alone), which of them may not be written to (take them off by hand), who had objected there, and who "
        "could not be looked for, as the destination never said what it calls them. Left behind: at an account, a URL "
        "or a folder that the destination has left. Nothing here reaches that list any more: empty it by hand, and "
        "then say so: lgs activate emptied."
    )
    return Figure("held", "Who is on which list?", table, note=note)


def _left_out(ledger: dict[str, Any]) -> Figure:
    """By reason: members whom the latest plan of each list leaves out, and customers who are in no audience."""
    rows = [("in no audience", reason, customers) for reason, customers in sorted(ledger["excluded"].items())]
    rows += [("in an audience, not sent", reason, members) for reason, members in sorted(ledger["left_out"].items())]
    most = max((row[2] for row in rows), default=0)
    table = Table(
        (Column("who", "Who"), Column("reason", "Why"), Column("customers", "Customers", "count")),
        [(who, reason, Bar.of(customers, most)) for who, reason, customers in rows],
    )
    note = (
        "Those who objected or asked to be forgotten are in no audience at all. Not sent: as the latest plan of each "
        "list counted them, so that a customer of two lists counts twice. Counts only: who they are is not shown here."
    )
    return Figure("left_out", "Who is not written to, and why?", table, note=note)


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
