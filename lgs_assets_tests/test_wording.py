"""How numbers are written: pounds, counts, percents and days."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.wording import change, counted, day, decimal, percent, percentile, pounds, short_pounds


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "£0"),
        (-0.0, "£0"),
        (0.5, "£0.50"),
        (594, "£594"),
        (1000, "£1k"),
        (2500, "£2.5k"),
        (250_000, "£250k"),
        (-250_000, "-£250k"),
        (999_999, "£1m"),
        (1_200_000, "£1.2m"),
        (3e9, "£3bn"),
    ],
)
def test_ticks_of_money_are_short(value: float, text: str) -> None:
    """An axis reads £250k and £1.2m, with the minus sign of print before the pound."""
    assert short_pounds(value).replace("\N{MINUS SIGN}", "-") == text


@settings(deadline=None)
@given(st.floats(0.01, 1e11))
def test_short_pounds_say_the_amount(value: float) -> None:
    """To four digits, or to the penny below £1,000, the short text is the amount."""
    text = short_pounds(value).removeprefix("£")
    unit = {"k": 1e3, "m": 1e6, "bn": 1e9}.get(text.lstrip("0123456789."), 1)
    assert float(text.rstrip("kmbn")) * unit == pytest.approx(value, rel=6e-4, abs=0.0051)


@pytest.mark.parametrize(
    ("value", "text"),
    [(196.345, "£196.35"), (304.315, "£304.32"), (-168469.6, "-£168,469.60"), (0, "£0.00"), (-0.001, "£0.00")],
)
def test_pounds_are_exact_to_the_penny(value: float, text: str) -> None:
    """Half a penny is rounded away from zero, as the decimal that the warehouse holds, not as its binary neighbour."""
    assert pounds(value).replace("\N{MINUS SIGN}", "-") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(36.5228, "+36.5 %"), (-70.33, "-70.3 %"), (0, "0.0 %"), (-0.04, "0.0 %"), (1234.5, "+1,234.5 %")],
)
def test_a_change_has_its_sign(value: float, text: str) -> None:
    """Growth reads +36.5 %, and a figure that rounds to zero has no sign."""
    assert change(value).replace("\N{MINUS SIGN}", "-") == text


@pytest.mark.parametrize(
    ("quantile", "text"),
    [(0.85, "85th"), (0.29, "29th"), (0.81, "81st"), (0.52, "52nd"), (0.93, "93rd"), (0.12, "12th"), (0.925, "92.5th")],
)
def test_a_quantile_is_named_as_a_percentile(quantile: float, text: str) -> None:
    """The cut-off is spoken of as the 85th percentile, whichever it is set to."""
    assert percentile(quantile) == f"{text} percentile"


def test_counts_agree_with_their_noun() -> None:
    """One customer is not 1 customers."""
    assert (counted(1, "customer"), counted(0, "customer"), counted(1522, "customer")) == (
        "1 customer",
        "0 customers",
        "1,522 customers",
    )


def test_decimals_and_percents() -> None:
    """A decimal place is written only if it is not zero; a share always has one."""
    assert (decimal(41.0), decimal(1208.5), percent(25.893)) == ("41", "1,208.5", "25.9 %")


def test_days_are_written_the_british_way() -> None:
    """The machine's locale has no say in it."""
    assert day(pd.Timestamp("2011-12-09 12:50")) == "9 Dec 2011"
