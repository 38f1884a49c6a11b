"""When the demo shop sells: its open minutes, and how busy each of them is.

A moment is a share of all demand, from 0 to 1: orders spread evenly over moments are seasonal in time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lgs_assets.demo.arrays import Floats, Ints

# The span of the UCI data, whose last month is partial.
FIRST_MINUTE = np.datetime64("2009-12-01T07:45", "m")
LAST_MINUTE = np.datetime64("2011-12-09T12:50", "m")

# Demand by day of the year, linear in between: quiet after Christmas, a small spring, an autumn that doubles it.
_YEAR_DAYS = (1, 45, 78, 110, 150, 200, 230, 258, 288, 319, 340, 357, 366)
_YEAR_DEMAND = (0.70, 0.72, 0.88, 0.80, 0.90, 0.84, 0.86, 1.15, 1.40, 1.75, 1.60, 0.70, 0.70)
# Demand by weekday, Monday first. Saturdays are closed (except one, as in the UCI data), Sundays short.
_WEEKDAY_DEMAND = (0.95, 1.10, 1.05, 1.20, 0.95, 0.0, 0.63)
_SATURDAY_DEMAND = 0.1
_OPEN_SATURDAY = np.datetime64("2009-12-05")
# Demand by hour from OPENING_HOUR on: most orders come around noon.
_OPENING_HOUR = 7
_HOUR_DEMAND = (0.2, 2.2, 6.7, 11.4, 12.2, 15.6, 13.6, 12.5, 11.8, 7.4, 4.3, 1.3, 0.7, 0.1)
# Good Fridays, Easter Mondays, the May and August bank holidays, and the royal wedding of 2011.
_BANK_HOLIDAYS = np.array(
    [
        *("2010-04-02", "2010-04-05", "2010-05-03", "2010-05-31", "2010-08-30"),
        *("2011-04-22", "2011-04-25", "2011-04-29", "2011-05-02", "2011-05-30", "2011-08-29"),
    ],
    dtype="datetime64[D]",
)
_CHRISTMAS_BREAK = (1224, 103)  # 24 December to 3 January, as month and day


@dataclass(frozen=True)
class Season:
    """The open minutes, in order, and the share of all demand that has passed at the end of each."""

    minutes: NDArray[np.datetime64]
    passed: Floats

    @property
    def last(self) -> int:
        """The position of the last open minute."""
        return len(self.minutes) - 1

    def at(self, moments: Floats) -> Ints:
        """The positions of the open minutes of these moments; moments past the end are in the last minute."""
        return np.minimum(np.searchsorted(self.passed, moments, side="right"), self.last)


def open_season() -> Season:
    """The season of the demo: two years of open minutes."""
    days = np.arange(FIRST_MINUTE.astype("datetime64[D]"), LAST_MINUTE.astype("datetime64[D]") + 1)
    hours = np.repeat(np.asarray(_HOUR_DEMAND), 60)
    minutes = (days.astype("datetime64[m]") + np.timedelta64(_OPENING_HOUR, "h"))[:, None] + np.arange(len(hours))
    demand = _day_demand(days)[:, None] * hours
    is_open = (demand > 0) & (minutes >= FIRST_MINUTE) & (minutes <= LAST_MINUTE)
    passed = np.cumsum(demand[is_open])
    return Season(minutes[is_open], passed / passed[-1])


def _day_demand(days: NDArray[np.datetime64]) -> Floats:
    months = days.astype("datetime64[M]")
    day_of_year = (days - days.astype("datetime64[Y]")).astype(np.int64) + 1
    weekday = (days.astype(np.int64) + 3) % 7  # day 0, 1970-01-01, was a Thursday
    demand: Floats = np.interp(day_of_year, _YEAR_DAYS, _YEAR_DEMAND) * np.asarray(_WEEKDAY_DEMAND)[weekday]
    demand[days == _OPEN_SATURDAY] = _SATURDAY_DEMAND
    month_and_day = (months.astype(np.int64) % 12 + 1) * 100 + (days - months).astype(np.int64) + 1
    starts, ends = _CHRISTMAS_BREAK
    demand[np.isin(days, _BANK_HOLIDAYS) | (month_and_day >= starts) | (month_and_day <= ends)] = 0
    return demand
