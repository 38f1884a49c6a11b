"""Causes of moves, drivers of sales, gain and loss: as a plain program has them, by customer, on small shops."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from math import log
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lgs_assets.assets.customers import PLAYBOOK
from lgs_assets.what_if import run_model

RULES: list[dict[str, Any]] = pd.read_csv(PLAYBOOK).to_dict("records")  # type: ignore[assignment]  # keys are names
CELLS: dict[str, list[tuple[int, int]]] = {
    rule["segment"]: [
        (r, f) for r in range(rule["r_min"], rule["r_max"] + 1) for f in range(rule["f_min"], rule["f_max"] + 1)
    ]
    for rule in RULES
}
SEGMENT_OF = {cell: segment for segment, cells in CELLS.items() for cell in cells}
BEGIN = pd.Timestamp("2010-01-10")

Bought = tuple[int | None, int, int, int]
"""Customer, months and days after BEGIN, and pounds, which are a cancellation below zero."""

purchases = st.lists(
    st.tuples(
        st.none() | st.integers(101, 115), st.sampled_from([0, 1, 2, 12, 13]), st.integers(0, 20),
        st.integers(-3, 5).filter(bool),
    ),
    min_size=2,
    max_size=60,
)  # fmt: skip


def lines_of(purchases: list[Bought]) -> pd.DataFrame:
    """An invoice of one line each; a unit costs a pound."""
    rows = [
        {
            "dump": "mine", "invoice_no": f"{'C' if pounds < 0 else ''}{number}", "line_number": number,
            "invoice_date": BEGIN + pd.DateOffset(months=months, days=days), "customer_id": customer,
            "quantity": pounds, "line_total": pounds, "country": "EIRE", "is_cancellation": pounds < 0,
            "is_sale": pounds > 0 and customer is not None, "is_second_copy": False,
        }
        for number, (customer, months, days, pounds) in enumerate(purchases)
    ]  # fmt: skip
    lines = pd.DataFrame(rows).astype({"customer_id": "Int64"})
    return lines.assign(invoice_month=lines["invoice_date"].dt.to_period("M").dt.start_time)


def direction(was: str, is_now: str) -> str:
    """Up if R or F is higher and neither is lower, whatever place the segments have in reports."""
    higher, lower = (
        any(min(cell[at] for cell in CELLS[above]) > max(cell[at] for cell in CELLS[below]) for at in (0, 1))
        for above, below in ((is_now, was), (was, is_now))
    )
    return "neither" if higher and lower else "up" if higher else "down"


SOME = {
    ("Can't Lose", "At Risk"): "down",  # though reports name At Risk first
    ("At Risk", "Can't Lose"): "up",
    ("Champions", "Can't Lose"): "down",
    ("About to Sleep", "At Risk"): "neither",
    ("Promising", "Need Attention"): "neither",
    ("New Customers", "Promising"): "down",
}


def test_up_and_down_are_by_the_scores() -> None:
    """Of every cell a customer moves to every cell: what is higher in R or F and lower in neither is up."""
    pairs = [(before, after) for before in SEGMENT_OF for after in SEGMENT_OF]
    history = pd.DataFrame(
        {
            "snapshot_date": moment, "customer_id": number, "last_invoice_at": BEGIN, "recency_days": 50 - 9 * r,
            "frequency": f, "monetary": 1.0, "monetary_once": 1.0, "r_score": r, "f_score": f,
            "segment": SEGMENT_OF[r, f],
        }
        for number, pair in enumerate(pairs)
        for moment, (r, f) in zip(pd.to_datetime(["2011-05-01", "2011-06-01"]), pair, strict=True)
    )  # fmt: skip
    may = pd.DataFrame({"invoice_month": [pd.Timestamp("2011-05-01")], "is_partial": False, "last_invoice_at": BEGIN})
    made = run_model("segment_migrations", rfm_history=history, monthly_metrics=may)
    moved: Any = made[made["segment_from"] != made["segment_to"]]
    found = dict(zip(zip(moved["segment_from"], moved["segment_to"], strict=True), moved["direction"], strict=True))
    assert found.items() >= SOME.items()
    assert found == {(a, b): direction(a, b) for a in CELLS for b in CELLS if a != b}


def causes(history: pd.DataFrame, *, ties: str) -> Iterator[tuple[Any, ...]]:
    """Step, moments, segments, cause and sales of each customer at each of two snapshots 1, 3 or 12 apart."""
    moments = sorted(history["snapshot_date"].unique())
    at = {
        moment: {row.customer_id: row for row in history[history["snapshot_date"] == moment].itertuples()}
        for moment in moments
    }

    def rank(row: Any) -> tuple[int, int]:
        return row.frequency, 0 if ties == "together" else row.customer_id

    for place, moment in enumerate(moments):
        for step in (step for step in (1, 3, 12) if step <= place):
            first = at[moments[place - step]]
            for customer, now in at[moment].items():
                was = first.get(customer)
                # The score on the old edges: R's are the longest recencies, F's the highest frequencies of each score.
                r = max((row.r_score for row in first.values() if now.recency_days <= row.recency_days), default=1)
                f = min((row.f_score for row in first.values() if rank(now) <= rank(row)), default=5)
                then = SEGMENT_OF[r, f]
                own = "purchase" if now.last_invoice_at >= moments[place - step] else "ageing"
                if was is None:
                    cause = "first purchase"
                elif now.segment == was.segment:
                    cause = "stayed" if then == was.segment else "boundary offset the change"
                elif then == was.segment:
                    cause = "boundary"
                else:
                    cause = own if then == now.segment else f"{own} and boundary"
                begin = was.segment if was else "(not yet a customer)"
                spent = was.monetary if was else 0
                yield step, moments[place - step], moment, begin, now.segment, cause, spent, now.monetary - spent


@settings(max_examples=5, deadline=None)
@given(bought=purchases, ties=st.sampled_from(["by_customer_id", "together"]))
def test_each_move_has_its_cause(bought: list[Bought], ties: str) -> None:
    """Customers and sales of each step, both segments and cause are those of its customers one by one."""
    lines = lines_of(bought)
    history = run_model("rfm_history", clean_invoices=lines, ties=ties)
    expected: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0, 0, 0])
    for *key, before, between in causes(history, ties=ties):
        for place, amount in enumerate((1, before, between)):
            expected[tuple(key)][place] += amount
    made = run_model("segment_migrations", clean_invoices=lines, ties=ties)
    keys = ["step", "snapshot_from", "snapshot_to", "segment_from", "segment_to", "cause"]
    figures = made[["customers", "monetary_before", "sales_between"]].to_numpy().tolist()
    assert dict(zip(made[keys].itertuples(index=False, name=None), figures, strict=True)) == expected


MONTHS = {"month before": 1, "year before": 12}


def compared(lines: pd.DataFrame) -> Iterator[tuple[pd.Timestamp, str, pd.DataFrame, pd.DataFrame]]:
    """Each month with lines, and the lines of the month or year before, if it has any."""
    by_month: dict[Any, pd.DataFrame] = dict(list(lines.groupby("invoice_month")))
    for month, now in by_month.items():
        for comparison, months in MONTHS.items():
            before = by_month.get(month - pd.DateOffset(months=months))
            if before is not None:
                yield month, comparison, before, now


FACTORS = ("customers_effect", "orders_effect", "items_effect", "price_effect")


def factors(lines: pd.DataFrame) -> list[float]:
    """Customers, orders, items and sales."""
    sales = lines[lines["is_sale"]]
    return [sales["customer_id"].nunique(), sales["invoice_no"].nunique(), *sales[["quantity", "line_total"]].sum()]


def split(before: pd.DataFrame, now: pd.DataFrame) -> list[float]:
    """The parts of customers, orders a customer, items an order and price an item in the change of sales."""
    was, is_now = factors(before), factors(now)
    if not (was[-1] and is_now[-1]):
        return [is_now[-1] - was[-1], 0, 0, 0]
    mean = was[-1] if was[-1] == is_now[-1] else (is_now[-1] - was[-1]) / log(is_now[-1] / was[-1])
    logs = [0.0, *(log(after / earlier) for earlier, after in zip(was, is_now, strict=True))]
    return [mean * (upper - lower) for lower, upper in pairwise(logs)]


@settings(max_examples=5, deadline=None)
@given(bought=purchases)
@example(bought=[(1, 0, 0, 3), (1, 1, 0, -2)])  # nothing sold in the second month: there is no ratio to split by
@example(bought=[(1, 0, 0, 1_000_000), (1, 0, 0, 1_000_001), (2, 1, 0, 2_000_002)])  # all but equal
def test_each_change_of_sales_is_split(bought: list[Bought]) -> None:
    """By the logarithmic mean, to the penny that is rounded; with guests and returns, to all of the change exactly."""
    # A third of the units, so that prices differ between invoices.
    lines = lines_of(bought).assign(quantity=lambda lines: lines["quantity"] - lines["quantity"] // 3)
    made = run_model("sales_drivers", clean_invoices=lines).set_index(["invoice_month", "comparison"])
    expected = {(month, comparison): split(before, now) for month, comparison, before, now in compared(lines)}
    found = {key: list(row) for key, row in zip(made.index, made[list(FACTORS)].to_numpy(), strict=True)}
    assert found.keys() == expected.keys()
    for key, parts in expected.items():
        assert found[key] == pytest.approx(parts, abs=0.02), key
    for month, comparison, before, now in compared(lines):
        every = made.loc[(month, comparison), [*FACTORS, "guests_effect", "returns_effect"]]
        change = int(now["line_total"].sum() - before["line_total"].sum())
        assert sum(Decimal(f"{part:.6f}") for part in every) == change


@settings(max_examples=5, deadline=None)
@given(bought=purchases)
def test_each_customer_gains_or_loses(bought: list[Bought]) -> None:
    """New, back, grown, level, shrunk or lost, on the month and on the year before; guests are a line of their own."""
    lines = lines_of(bought)
    since = lines.groupby("customer_id")["invoice_month"].min()
    expected: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0, 0, 0])
    for month, comparison, before, now in compared(lines):
        was, is_now = (part.groupby("customer_id", dropna=False)["line_total"].sum() for part in (before, now))
        for customer in {*was.index, *is_now.index}:
            earlier, later = (int(part.get(customer, 0)) for part in (was, is_now))
            if pd.isna(customer):
                movement = "guests"
            elif customer not in is_now.index:
                movement = "lost"
            elif customer not in was.index:
                movement = "new" if since[customer] > before["invoice_month"].iloc[0] else "back"
            else:
                movement = "grown" if later > earlier else "shrunk" if later < earlier else "level"
            for place, amount in enumerate((movement != "guests", earlier, later)):
                expected[month, comparison, movement][place] += amount
    made = run_model("customer_gain_loss", clean_invoices=lines)
    keys = made[["invoice_month", "comparison", "movement"]].itertuples(index=False, name=None)
    figures = made[["customers", "net_sales_before", "net_sales"]].to_numpy().tolist()
    assert dict(zip(keys, figures, strict=True)) == expected
