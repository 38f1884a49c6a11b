"""The figures of campaigns on what was sent: plans, receipts, and who is on the lists of which destination."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from lgs_assets.action.lists.plans import WAITING
from lgs_assets.dashboard.content import Bar, Column, Figure, Link, Table
from lgs_assets.dashboard.pages.page import View
from lgs_assets.dashboard.queries import Row

_PLANS, _RECEIPTS = 20, 15
"""How many of the last are shown."""
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


def ledger(view: View, audience: str | None = None) -> dict[str, Any]:
    """The plans, those that wait, receipts, and who is held or left out: of one audience, or of all."""
    row = dict(view.rows("activation", audience=audience, plans=_PLANS, receipts=_RECEIPTS)[0])
    for kind in ("plans", "receipts", "held"):
        row[kind] = [
            {name: _moment(value) if name.endswith("_at") else value for name, value in found.items()}
            for found in row[kind]
        ]
    return row | {"waiting": [plan for plan in row["plans"] if plan["state"] in WAITING]}


def plans(view: View, rows: Sequence[Row]) -> Figure:
    """What was planned, and what became of it."""
    table = Table.of(
        _PLAN_COLUMNS,
        (
            {
                **row,
                "audience": _list_of(view, row),
                "state": "too old to apply" if row["state"] in WAITING and row["is_old"] else row["state"],
                **{state: row["answers"].get(state, 0) for state in ("accepted", "rejected", "withheld")},
                "allowed": ", ".join(f"{what} {value}" for what, value in sorted(row["allowed"].items())) or None,
            }
            for row in rows
        ),
    )
    note = (
        f"Those that wait, and the last {_PLANS}, whatever the filters. Partial: rows were rejected by the "
        "destination, or withheld as they could no longer be sent. Refused: a guard found the change too large, or the "
        "members too old."
    )
    return Figure("plans", "What was planned, and what became of it?", table, note=note)


def receipts(view: View, rows: Sequence[Row]) -> Figure:
    """Each request, and its answer."""
    table = Table.of(
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
        (
            {
                **row,
                "audience": _list_of(view, row),
                "rows": row["row_count"],
                "status": str(row["status"] or "none"),
            }
            for row in rows
        ),
    )
    note = f"A receipt for each request, kept for good; the last {_RECEIPTS} at most. No address is in any of them."
    return Figure("receipts", "What was sent, and what was answered?", table, note=note)


def held(view: View, rows: Sequence[Row]) -> Figure:
    """How many customers are on each list, and what was found when it was read back."""
    most = max((row["customers"] for row in rows), default=0)
    table = Table.of(
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
        (
            {
                **row,
                "audience": _list_of(view, row),
                "customers": Bar.of(row["customers"], most),
                "left_behind": row["left_behind"] or None,
            }
            for row in rows
        ),
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


def left_out(ledger: dict[str, Any]) -> Figure:
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


def audience_link(view: View, audience: str) -> Link:
    """An audience's name, which leads to its page."""
    return Link(audience, view.link(f"/campaigns/{audience}"))


def _list_of(view: View, row: Row) -> Link | str:
    """Which list a row of a ledger is about. A deletion is about none of them."""
    if not row["is_declared"]:
        return f"{row['audience']} (its file is gone)" if row["audience"] else "every list"
    return audience_link(view, row["audience"])


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
