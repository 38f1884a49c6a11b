"""What is said beside predictions on any page: what they are made from, and how wrong they have been."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lgs_assets import wording
from lgs_assets.dashboard.queries import Reading, Row
from lgs_assets.wording import UNCALIBRATED

PREDICTIONS: Final = ("customer_value", "churn_risk")
CARDS: Final = ("model_cards", "model_evaluations", "prediction_terms", "churn_risk")
VALUE_ERROR: Final = "the tenth of customers rated highest brought {} of sales"
STAY_ERROR: Final = "in {} of pairs, the one who stayed away had been rated more at risk"


def expectations(reading: Reading) -> str:
    """What the columns of expectations mean, and how wrong they have been."""
    cards = {row["task"]: row for row in reading.once("model_cards", CARDS)} if reading.tables.issuperset(CARDS) else {}
    reasons = {card["unavailable_because"] for card in (cards.get(task) for task in PREDICTIONS) if card}
    if reasons - {None}:
        return f"Nothing is predicted of customers yet: {' '.join(sorted(reasons - {None}))}"
    known = next(iter(cards.values()), None)
    said = (
        f"Predicted from {known_then(known) or 'what was known'}: sales expected in 182 days, before "
        "returns; the risk of no order in 90 days, for those who ordered in the year before; and when the next order "
        "is due, by the usual gap."
    )
    if known and not known["is_calibrated"]:
        said += f" {UNCALIBRATED}"
    value = past_error(cards.get("customer_value"), "customer_value, 182 days", VALUE_ERROR)
    risk = past_error(cards.get("churn_risk"), "churn_risk, active in the last 365 days", STAY_ERROR)
    return f"{said}{' Sales:' + value if value else ''}{' Risk:' + risk if risk else ''}"


def known_then(card: Row | None) -> str:
    """What predictions are made from, and the day from which they look ahead, which may be weeks later; if any are."""
    if card is None or card["observed_until"] is None:
        return ""
    last = wording.day(card["observed_until"] - timedelta(days=1))
    return f"what was known on {last}, for the days from {wording.day(card['as_of'])} on"


def past_error(card: Row | None, task: str, sentence: str) -> str:
    """How wrong predictions of a task were on past days and live, in sentences around figures; or why nothing is."""
    if card is None:
        return ""
    if card["unavailable_because"]:
        return f" {card['unavailable_because']}"
    known = card["headlines"] or {}
    said = ""
    if past := known.get(task):
        said += f" on past days {_judged(past, sentence)}."
    if live := known.get(f"{task}, live"):
        said += f" Live, as predicted before it came, {_judged(live, sentence)} (n {live['n']:,})."
    return said.replace(" %", "\N{NO-BREAK SPACE}%")


def error_sentence(card: Row | None, task: str, sentence: str) -> str:
    """How wrong they were on past days, as a sentence of its own; or why there are none."""
    said = past_error(card, task, sentence)
    return f" {said[1:2].upper()}{said[2:]} More below." if said and card and not card["unavailable_because"] else said


def _judged(judged: Row, sentence: str) -> str:
    """The sentence around a figure, with its interval and what the baseline's is."""
    value, low, high, beside = (
        wording.percent(100 * judged[name], 0) if judged[name] is not None else ""
        for name in ("value", "low", "high", "baseline_value")
    )
    interval = f" ({low} to {high}, 95 % interval)" if low else ""
    rival = f"; by the baseline, {judged['baseline']}, {beside}" if beside else ""
    if rival and judged["is_difference_shown"] is False:
        rival += ": no difference shown"
    return f"{sentence.format(value + interval)}{rival}"
