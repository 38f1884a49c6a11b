"""The filters of a list as an audience: the file to copy, and what a rule cannot ask. It writes no file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from shlex import quote
from typing import Final

from lgs_assets.action.rules import judge
from lgs_assets.dashboard.bar import Chip, chips
from lgs_assets.dashboard.filters import Filters
from lgs_assets.errors import RuleError

_UNASKABLE: Final = ("from", "step", "tenth")
"""The keys of filters that no column of `audience_facts` answers."""
_LONGEST_NAME: Final = 40


@dataclass(frozen=True)
class Draft:
    """What a file of an audience would hold, for somebody to review and to save."""

    name: str
    text: str
    """The file. Empty if no rule can be made of the filters."""
    preview: str
    """The command that says whom the rule would find."""
    unasked: tuple[str, ...]
    """The filters, in words, that it leaves out."""
    refusal: str = ""
    """Why there is no rule."""


def draft(filters: Filters) -> Draft | None:
    """The audience of these filters; None if they pick everybody. Whatever month they look at, it is of today."""
    if not filters.names_customers:
        return None
    # A step alone picks nobody: it says when those who came from a segment were in it.
    found = chips(replace(filters, as_of=None, step=filters.step if filters.came_from else 1), "")
    unasked = tuple(chip.text for chip in found if chip.key in _UNASKABLE)
    asked = [chip for chip in found if chip.key not in _UNASKABLE]
    if not asked:
        return Draft("", "", "", unasked, "No column of audience_facts answers any of these filters.")
    rule = " and ".join(_conditions(filters))
    try:
        judge(rule)
    except RuleError as error:
        return Draft("", "", "", unasked, f"A rule cannot ask this: {error}")
    words = ", ".join(chip.text for chip in asked)
    text = f"description = {_toml(words + '.')}\nwhere = {_toml(rule)}\n"
    return Draft(_name(asked), text, f"lgs audience preview {_argument(rule)}", unasked)


def _conditions(filters: Filters) -> Iterable[str]:
    """Each filter in the language of rules, over the columns of `audience_facts`."""
    for column, texts in (("country", filters.countries), ("segment", filters.segments), ("risk_band", filters.risks)):
        if texts:
            yield _one_of(column, texts)
    if filters.cohorts:
        spans = [_quarter(quarter) for quarter in filters.cohorts]
        yield spans[0] if len(spans) == 1 else f"({' or '.join(spans)})"
    for column, comparison, value in (
        ("r_score", "=", filters.r_score),
        ("f_score", "=", filters.f_score),
        ("recency_days", "<=", filters.recency_to),
        ("recency_days", ">=", filters.recency_from),
        ("frequency", ">=", filters.orders_from),
        ("frequency", "<=", filters.orders_to),
        ("monetary", ">=", filters.spent_from),
        ("monetary", "<", filters.spent_below),
        ("customer_id", "=", filters.search),
    ):
        if value is not None:
            yield f"{column} {comparison} {value}"


def _one_of(column: str, texts: tuple[str, ...]) -> str:
    quoted = ["'" + text.replace("'", "''") + "'" for text in texts]
    return f"{column} = {quoted[0]}" if len(quoted) == 1 else f"{column} in ({', '.join(quoted)})"


def _quarter(quarter: str) -> str:
    """Of the first sale: `2010-Q4` is from its first day to before the first day of the next one."""
    year, first = int(quarter[:4]), 3 * int(quarter[-1]) - 2
    after = date(year + 1, 1, 1) if first == 10 else date(year, first + 3, 1)
    return f"(first_sale_at >= '{date(year, first, 1)}' and first_sale_at < '{after}')"


def _toml(text: str) -> str:
    """A basic string of TOML, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def _argument(rule: str) -> str:
    """A rule as an argument of a shell, in double quotes where nothing in it means anything there."""
    return quote(rule) if re.search(r'["$`\\!]', rule) else f'"{rule}"'


def _name(asked: Iterable[Chip]) -> str:
    """A name for the file: lowercase letters, digits and underscores, beginning with a letter."""
    words = re.sub(r"[^a-z0-9]+", "_", " ".join(chip.text for chip in asked).lower().replace("'", ""))
    return re.sub(r"^[^a-z]+", "", words)[:_LONGEST_NAME].strip("_") or "an_audience"
