"""Files of unit costs: CSV with a stock code, the day from which a cost holds, and the cost.

They are small and written by hand, so each line is read by itself; lines that cannot be a cost are held back with the
reason.
"""

import csv
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import shown
from lgs_assets.sources.compression import faults_as_dump_errors
from lgs_assets.sources.dates import EARLIEST
from lgs_assets.sources.encoding import Decoder
from lgs_assets.sources.identity import trimmed, unwrapped
from lgs_assets.sources.lines import LENGTH_LIMITS, SHOWN_CHARACTERS, Reject
from lgs_assets.sources.numbers import NumberFormat, decimal_mark_of
from lgs_assets.warehouse.costs import Cost
from lgs_assets.warehouse.loading import first_of
from lgs_assets.wording import counted

COLUMNS = {"stock_code": ("stockcode", "code"), "valid_from": ("validfrom", "from"), "unit_cost": ("unitcost", "cost")}
"""Each column with its names, in small letters and digits alone."""

_DELIMITERS = ",;\t|"
_LIMIT_BYTES = 1 << 26
_BYTE_ORDER_MARK = "\N{BYTE ORDER MARK}"
_LINE_END = re.compile(r"\r\n?|\n")
"""`str.splitlines` breaks at characters, such as U+2028, that stand within a line of CSV."""


def read_costs(path: Path, *, reject_limit: float) -> tuple[list[Cost], list[Reject]]:
    """The costs of a file, and the lines that are not, each with the column, what was expected and what was found.

    Raises DumpError for a file that cannot be read, is not text, lacks a column, or of which a larger share than
    `reject_limit` is rejected; of the last it has the lines.
    """
    with faults_as_dump_errors(path):
        if path.stat().st_size > _LIMIT_BYTES:
            raise DumpError(f"{path}: expected a file of unit costs of at most {_LIMIT_BYTES >> 20} MB.")
        data = path.read_bytes()
    if b"\0" in data:
        raise DumpError(f"{path}: this is not text; expected CSV with the columns {', '.join(COLUMNS)}.")
    lines = _LINE_END.split(Decoder()(data).decode(errors="replace").removeprefix(_BYTE_ORDER_MARK))
    delimiter = max(_DELIMITERS, key=lines[0].count)
    places = _places(path, next(csv.reader(lines[:1], delimiter=delimiter), []))
    rows = [(number, line, _fields(line, delimiter)) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    costs: dict[tuple[str, date], Cost] = {}
    rejects: list[Reject] = []
    written = [fields[places["unit_cost"]] for *_, fields in rows if len(fields) > places["unit_cost"]]
    numbers = NumberFormat("," if "," in map(decimal_mark_of, written) else ".")
    for number, line, fields in rows:
        try:
            cost = _cost(fields, places, numbers)
            if (known := costs.get(cost[:2])) and known != cost:
                raise _UnfitError(
                    "unit_cost", f"one cost for {cost.code} from {cost.valid_from} on", f"{cost.unit_cost}"
                )
        except _UnfitError as unfit:
            rejects.append(
                Reject(number, line, unfit.column, f"expected {unfit.expected}; found {_quoted(unfit.found)}")
            )
        else:
            costs[cost[:2]] = cost
    if rejects and len(rejects) / len(rows) > reject_limit:
        raise DumpError(_refusal(path, len(rows), rejects, reject_limit), rejects=rejects)
    return list(costs.values()), rejects


class _UnfitError(Exception):
    """Why a line is not a cost."""

    def __init__(self, column: str | None, expected: str, found: str) -> None:
        self.column, self.expected, self.found = column, expected, found


def _places(path: Path, header: list[str]) -> dict[str, int]:
    folded = [re.sub(r"\(.*\)|[\W_]", "", name.lower()) for name in header]
    places = {
        column: place
        for column, names in COLUMNS.items()
        for place, name in enumerate(folded)
        if name in (column.replace("_", ""), *names)
    }
    if missing := [column for column in COLUMNS if column not in places]:
        found = shown(", ".join(header))[:SHOWN_CHARACTERS] or "none"
        raise DumpError(f"{path}, line 1: no column {', '.join(missing)}. Found: {found}.")
    return places


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _cost(fields: list[str], places: dict[str, int], numbers: NumberFormat) -> Cost:
    if len(fields) <= max(places.values()):
        raise _UnfitError(None, f"at least {max(places.values()) + 1} fields", f"{len(fields)}")
    text = {column: trimmed(unwrapped(fields[place])) for column, place in places.items()}
    code = "".join(letter.upper() if letter.isascii() else letter for letter in text["stock_code"])
    if not 1 <= len(code) <= LENGTH_LIMITS["stock_code"] or not code.isprintable():
        raise _UnfitError("stock_code", f"a stock code of 1 to {LENGTH_LIMITS['stock_code']} characters", code)
    try:
        valid_from = date.fromisoformat(text["valid_from"])
    except ValueError:
        raise _UnfitError("valid_from", "a date such as 2011-03-01", text["valid_from"]) from None
    if valid_from < EARLIEST:
        raise _UnfitError("valid_from", f"a date from {EARLIEST} on", text["valid_from"])
    try:
        unit_cost = Decimal(numbers.price(text["unit_cost"]))
    except ValueError as error:
        raise _UnfitError("unit_cost", str(error).replace("price", "cost"), text["unit_cost"]) from None
    if unit_cost < 0:
        raise _UnfitError("unit_cost", "a cost of at least £0", text["unit_cost"])
    return Cost(code, valid_from, unit_cost)


def _refusal(path: Path, lines: int, rejects: list[Reject], limit: float) -> str:
    return (
        f"{path}: {len(rejects):,} of {counted(lines, 'line')} cannot be read, more than {limit:.2%} "
        f"(LGS_REJECT_LIMIT). Nothing is imported; lgs costs rejects shows the lines. The first:{first_of(rejects)}"
    )


def _quoted(text: str) -> str:
    return repr(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


def as_csv(costs: list[Cost]) -> Iterator[str]:
    """The lines of a file that `read_costs` reads, the header first."""
    yield f"{','.join(COLUMNS)}\n"
    yield from (f"{cost.code},{cost.valid_from},{cost.unit_cost}\n" for cost in costs)
