"""How numbers and dates are written, and what several modules say alike. Nothing about where it is shown."""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from lgs_assets.escaping import printable

HOW_TO_GIVE_COSTS: Final = "lgs costs import FILE takes them: a CSV with stock_code, valid_from and unit_cost"

MOSTLY_ONE: Final = 0.5
"""The share of a country's sales to known customers from which on one customer decides what the country does."""

UNCALIBRATED: Final = (
    "On past days the level of the risk was too far off: low, medium and high are an order, not chances."
)

MISSING_YEAR_BEFORE: Final = (
    "A blank year before: that month has no data at all. It is treated as missing, not as zero sales; wherever a "
    "method needs it, the average of the same weekdays in the year before it is used."
)

_MINUS: Final = "\N{MINUS SIGN}"

# strftime's %b follows the locale of the machine.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_MAGNITUDES: Final = ((1e9, "bn"), (1e6, "m"), (1e3, "k"))


def count(value: float) -> str:
    """`1,522`."""
    return _signed(value, f"{abs(value):,.0f}")


def counted(number: float, noun: str) -> str:
    """`1,522 customers`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def due(days_late: int | None) -> str:
    """When a purchase was, or is, due: `12 days late`, `due in 303 days`; nothing where that is not told."""
    if days_late is None:
        return ""
    if days_late > 0:
        return f"{counted(days_late, 'day')} late"
    return f"due in {counted(-days_late, 'day')}" if days_late else "due now"


def signed_count(value: float) -> str:
    """A count with its sign: `+14`."""
    return f"+{count(value)}" if value > 0 else count(value)


def decimal(value: float) -> str:
    """To one place, if there is anything in it: `41`, `1,208.5`."""
    return _signed(value, f"{abs(value):,.1f}".removesuffix(".0"))


def pounds(value: float) -> str:
    """To the penny, halves away from zero: `£168,469.60`."""
    # The shortest text of a float is what the warehouse holds; the float itself may lie just below the half.
    pence = Decimal(repr(float(value))).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return _signed(float(pence), f"£{abs(pence):,}")


def short_pounds(value: float, digits: int = 4) -> str:
    """To so many significant digits: `£1.2m`, `£250k`, `£594`, `£0.50`."""
    size = float(f"{abs(value):.{digits}g}")
    for unit, suffix in _MAGNITUDES:
        if size >= unit:
            return _signed(value, f"£{size / unit:g}{suffix}")
    return _signed(value if size else 0, f"£{size:g}" if size == int(size) else f"£{size:.2f}")


def signed_pounds(value: float, digits: int = 4) -> str:
    """The same with its sign: `+£250k`."""
    return f"+{short_pounds(value, digits)}" if value > 0 else short_pounds(value, digits)


def p_value(value: float) -> str:
    """`= .85`, `< .001`."""
    return (
        "< .001"
        if value < 0.001
        else f"= {value:.2f}".replace("0.", ".")
        if value >= 0.01
        else f"= {value:.3f}".replace("0.", ".", 1)
    )


def percent(value: float, digits: int = 1) -> str:
    """`25.9 %`."""
    return _signed(round(value, digits), f"{abs(value):,.{digits}f} %")


def change(value: float, digits: int = 1) -> str:
    """A percentage with its sign: `+36.5 %`."""
    return f"+{percent(value, digits)}" if round(value, digits) > 0 else percent(value, digits)


def percentile(quantile: float) -> str:
    """`85th percentile`."""
    number = f"{quantile * 100:g}"
    suffix = "th" if number.endswith(("11", "12", "13")) else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return f"{number}{suffix} percentile"


def day(moment: date) -> str:
    """`9 Dec 2011`."""
    return f"{day_of_year(moment)} {moment.year}"


def day_of_year(moment: date) -> str:
    """`9 Dec`."""
    return f"{moment.day} {month_of_year(moment)}"


def month(moment: date) -> str:
    """`Dec 2011`."""
    return f"{month_of_year(moment)} {moment.year}"


def month_of_year(moment: date) -> str:
    """`Dec`."""
    return _MONTHS[moment.month - 1]


def as_of(moment: datetime) -> str:
    """A snapshot, which is everything before it: `end of Nov 2011`, `moment before 9 Dec 2011`."""
    if moment == datetime(moment.year, moment.month, 1):
        return f"end of {month(moment - timedelta(days=1))}"
    return f"moment before {day(moment)}"


def short(text: str, letters: int) -> str:
    """Text of a dump in one line of so many letters: cut with an ellipsis, what cannot be seen escaped."""
    shown = printable(text.strip())
    return shown if len(shown) <= letters else f"{shown[: letters - 1].rstrip()}…"


def span(first: str, last: str) -> str:
    """From the first to the last, joined by a dash."""
    return f"{first} \N{EN DASH} {last}"


def _signed(value: float, size: str) -> str:
    return f"{_MINUS}{size}" if value < 0 else size
