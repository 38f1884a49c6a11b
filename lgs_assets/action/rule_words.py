"""A rule in words, for people who do not read SQL: segment is At Risk and sales before returns at least £500."""

from datetime import datetime, time
from decimal import Decimal

import sqlglot
from sqlglot import exp

from lgs_assets import wording
from lgs_assets.action.rules import day_columns, fact_kinds, judge

_NAMES = {
    "customer_id": "number",
    "snapshot_date": "date of the data",
    "rfm_score": "RFM score",
    "r_score": "R score",
    "f_score": "F score",
    "m_score": "M score",
    "recency_days": "days since the last order",
    "frequency": "orders",
    "monetary": "sales before returns",
    "net_revenue": "sales after returns",
    "kept_pct": "percent of sales kept",
    "first_sale_at": "first order",
    "last_invoice_at": "last order",
    "purchase_days": "days with an order",
    "typical_gap_days": "usual days between orders",
    "typical_order": "typical order",
    "gaps_missed": "usual gaps since the last order",
    "value": "sales expected in 182 days",
    "risk_band": "risk of staying away",
    "expected_next_day": "next order due",
}
"""Names that say more than those of the columns."""
_IN_POUNDS = {"monetary", "net_revenue", "typical_order", "value"}
_NUMBERS: dict[type[exp.Expr], str] = {
    exp.EQ: "exactly", exp.NEQ: "other than", exp.GT: "above", exp.GTE: "at least", exp.LT: "below", exp.LTE: "at most"
}  # fmt: skip
_DAYS: dict[type[exp.Expr], str] = _NUMBERS | {
    exp.EQ: "on", exp.GT: "after", exp.GTE: "on or after", exp.LT: "before", exp.LTE: "on or before"
}  # fmt: skip
_MOMENTS: dict[type[exp.Expr], str] = _DAYS | {exp.EQ: "at", exp.GTE: "at or after", exp.LTE: "up to"}
_TEXTS: dict[type[exp.Expr], str] = _NUMBERS | {exp.EQ: "is", exp.NEQ: "is not"}
_CAST_KINDS = {
    exp.DType.DATE: "moment", exp.DType.DECIMAL: "number", exp.DType.INT: "number", exp.DType.TEXT: "text"
}  # fmt: skip
_START = "the start of "
_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}


def in_words(rule: str) -> str:
    """A rule as a sentence without its end. Raises RuleError for what `judge` refuses.

    One that is nested more deeply than a sentence can be is left as it is.
    """
    judge(rule)
    try:
        return _words(sqlglot.parse_one(rule, read="postgres"))
    except RecursionError:
        return " ".join(rule.split())


def _words(node: exp.Expr) -> str:
    match node:
        case exp.Paren():
            return _words(node.this)
        case exp.And() | exp.Or():
            word = "and" if isinstance(node, exp.And) else "or"
            return f" {word} ".join(_part(part, node) for part in (node.this, node.expression))
        case exp.Not():
            return f"not ({_words(node.this)})"
        case exp.Between():
            low, high = (_value(node.args[end], node.this) for end in ("low", "high"))
            return f"{_value(node.this)} between {low} and {high}"
        case exp.In():
            *first, last = [_value(choice, node.this) for choice in node.expressions]
            return f"{_value(node.this)} is {', '.join(first)}{' or ' if first else ''}{last}"
        case exp.Is():
            is_so = not node.args.get("negate")
            if isinstance(node.expression, exp.Null):
                return f"{_value(node.this)} is {'not ' if is_so else ''}known"
            return _words(node.this) if is_so == bool(node.expression.this) else f"not ({_words(node.this)})"
        case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
            return _comparison(node)
        case exp.Boolean():
            return "everybody" if node.this else "nobody"
    return _value(node)


def _part(node: exp.Expr, within: exp.Expr) -> str:
    """A side of `and` or `or`; in parentheses where the other of them would be read with it."""
    inner = node.unnest()
    needs = isinstance(inner, (exp.And, exp.Or)) and type(inner) is not type(within)
    return f"({_words(inner)})" if needs else _words(inner)


def _comparison(node: exp.Binary) -> str:
    left, right = node.this, node.expression
    operator: type[exp.Expr] = type(node)
    if not left.find(exp.Column) and right.find(exp.Column):
        left, right, operator = right, left, _FLIPPED.get(operator, operator)
    value = _value(right, left)
    words = {"number": _NUMBERS, "moment": _DAYS if _is_day(left) else _MOMENTS}.get(_kind(left), _TEXTS)
    if value.startswith(_START) and operator in (exp.GTE, exp.LT):  # these mean the same of the day as a whole
        words, value = _DAYS, value.removeprefix(_START)
    return f"{_value(left)} {words[operator]} {value}"


def _kind(node: exp.Expr | None) -> str:
    """Of what kind an operand is."""
    match node:
        case exp.Cast():
            return _CAST_KINDS[node.to.this]
        case exp.Paren() | exp.Neg():
            return _kind(node.this)
        case exp.Column():
            return fact_kinds()[node.name.lower()]
        case exp.Literal():
            return "text" if node.is_string else "number"
    return "boolean"


def _is_day(node: exp.Expr | None) -> bool:
    """Whether an operand is a day as a whole."""
    match node:
        case exp.Cast():
            return bool(node.to.this == exp.DType.DATE)
        case exp.Paren():
            return _is_day(node.this)
        case exp.Column():
            return node.name.lower() in day_columns()
    return False


def _moment(literal: str, *, is_cut: bool, is_day: bool) -> str:
    """A date, with its time if it has one; `is_cut` if that is cast away. A day compared with a time is its start."""
    moment = datetime.fromisoformat(literal)
    if moment.time() == time.min or is_cut:
        return ("" if is_day else _START) + wording.day(moment)
    return f"{wording.day(moment)} {moment.time().isoformat('auto').removesuffix(':00')}"


def _value(node: exp.Expr, beside: exp.Expr | None = None) -> str:
    """A column or a literal; a number beside an amount is in pounds."""
    column = beside.find(exp.Column) if beside else None
    name = column.name.lower() if column else ""
    match node:
        case exp.Cast() if node.this.is_string and _kind(node) == "moment":
            return _moment(node.this.name, is_cut=True, is_day=beside is None or _is_day(beside))
        case exp.Paren() | exp.Cast():
            return _value(node.this, beside)
        case exp.Neg():
            return f"\N{MINUS SIGN}{_value(node.this, beside)}"
        case exp.Column():
            return _NAMES.get(node.name.lower(), node.name.lower().replace("_", " "))
        case exp.Literal() if node.is_string and _kind(beside) == "moment":
            return _moment(node.name, is_cut=False, is_day=_is_day(beside))
        case exp.Literal() if not node.is_string:
            number = f"{Decimal(node.name):,f}"
            return f"£{number}" if name in _IN_POUNDS else number
        case exp.Literal():
            return node.name
    return f"({_words(node)})"
