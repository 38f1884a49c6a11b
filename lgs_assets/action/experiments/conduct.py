"""How an experiment was carried out, and what of it was not as planned: in one wording for all who tell it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lgs_assets import places
from lgs_assets.action.experiments.declaration import CONTROL, LATE_DAYS, Declaration, Metric, late_days
from lgs_assets.action.experiments.holdout import is_uneven
from lgs_assets.action.experiments.words import sentence
from lgs_assets.wording import counted

UNDRAWN = "before the draw"
RAN = "while it ran"
REJECTED = "rejected"
STOPPED = "after the stop"
"""When a destination held a customer, or rejected them: the periods of exposures."""
UNREACHED = (
    "No treated customer is recorded as reached through a destination. If they are treated in another way, such as by "
    "telephone, this is as it should be."
)
_NEARER = "the difference is likely to be nearer to zero than the effect"


class Hole(NamedTuple):
    """Days in a row of which the data has no invoice, though the shop never before paused for so long."""

    first: date
    last: date


@dataclass(frozen=True)
class Amendment:
    """What came to be otherwise than an experiment declares."""

    what: str
    because: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """An experiment that was started, and how it was carried out so far."""

    declaration: Declaration
    started_at: datetime
    stopped_at: datetime | None
    stopped_because: str | None
    amendments: tuple[Amendment, ...]
    arms: dict[str, int]
    """Customers by arm."""
    reached: dict[str, int]
    """Those of them whom a destination held, through any audience, from the draw to the end of their window, while the
    experiment ran. Of the control group that is contamination."""
    reached_through: dict[str, dict[str, int]]
    """Likewise, by audience and arm."""
    reached_undrawn: dict[str, int]
    """Those whom a destination held through the experiment's audience at some time before they were drawn."""
    reached_later: dict[str, int]
    """Those whom a destination was told of after the stop, while their purchases still counted."""
    sent: int
    """The treated of whom a destination was told while it ran, whether it took or rejected them."""
    held_out: int
    """Customers of the control group whom an applied plan, of any audience, left out for that alone by the end of their
    window: comparable with the treated who were sent, as whoever could not be written to is in neither."""
    excluded: dict[str, int]
    """Those who have objected to marketing or are forgotten, by arm. They still count as assigned."""
    begins: date
    """From when the purchases of the first customers count."""
    due: date
    """The day after the last observed one of the last customer."""
    covered_until: date
    """The first day that the data does not cover: that of the last invoice, which need not be over."""
    doubled_invoices: tuple[str | None, str | None]
    """The setting of that name at the start, and now; None where it is not known."""
    hole: Hole | None
    """The first one before the primary metric would be due; None without."""

    @property
    def is_unevenly_delivered(self) -> bool:
        """Whether those sent, and those who would have been, are not of the sizes that were drawn."""
        return is_uneven(sent=self.sent, held_out=self.held_out, shares=self.declaration.shares)

    @property
    def started_on(self) -> date:
        """The day on which it was started, where the shop is."""
        return local_day(self.started_at)

    @property
    def cut_short_on(self) -> date | None:
        """The day on which it was stopped, if that was before the last window was over."""
        day = local_day(self.stopped_at) if self.stopped_at else None
        return day if day and day < self.due else None

    @property
    def is_due(self) -> bool:
        """Whether its result can be told."""
        return self.due_of(self.declaration.primary.metric) <= self.covered_until

    @property
    def is_to_be_stopped(self) -> bool:
        """Whether its result is due, and its control group still held out."""
        return self.stopped_at is None and self.is_due

    @property
    def is_without_lists(self) -> bool:
        """Whether no list has reached the treated, so that what was done to them is on no record."""
        return not self.reached[self.declaration.treatment]

    @property
    def of_control(self) -> str:
        """Whether lists left the control group alone, in a sentence; of other ways of reaching it they tell nothing."""
        if reached := self.reached[CONTROL]:
            were = "was" if reached == 1 else "were"
            return f"{counted(reached, 'customer')} of the control group {were} reached all the same."
        return f"{'Until the stop, no' if self.cut_short_on else 'No'} list reached the control group."

    def due_of(self, metric: Metric, *, after: int | None = None) -> date:
        """From which day on a metric can be told of everybody, in full or after so many days of the window.

        A hole before that may be a dump that is missing: it is waited for as long as a late return is.
        """
        days = self.declaration.primary.days
        early = 0 if after is None else days - after
        day = self.due + timedelta(days=late_days(metric) - early)
        return day + timedelta(days=LATE_DAYS) if self.hole and self.hole.first < day else day


def remarks(conduct: Conduct, *, known: dict[str, int] | None = None, day: Callable[[date], str] = str) -> list[str]:
    """What was not as planned, a line of plain text each; `known` are those whom the data still knows, by arm."""
    return [
        *_of_the_lists(conduct),
        *_of_the_record(conduct, day),
        *_of_the_customers(conduct, known or conduct.arms),
        *_of_the_time(conduct, day),
    ]


def _of_the_lists(conduct: Conduct) -> Iterator[str]:
    treatment = conduct.declaration.treatment
    if control := conduct.reached[CONTROL]:
        yield f"{counted(control, 'customer')} of the control group reached a destination: {_NEARER}."
    if any(conduct.reached_undrawn.values()):
        yield (
            "Some were on a list of the audience before the arms were drawn: "
            f"{_by_arm(conduct.reached_undrawn)}. What that did to them is in both arms: {_NEARER}."
        )
    if conduct.is_unevenly_delivered:
        yield (
            f"{conduct.sent:,} of the treated were sent to a destination, and {conduct.held_out:,} of the control "
            "group would have been: chance does not make them so unlike. Something between the draw and the list took "
            "customers out of one arm. All still count as they were assigned."
        )
    others = {name: arms for name, arms in conduct.reached_through.items() if name != conduct.declaration.audience}
    if any(arms[treatment] for arms in others.values()):
        through = ", ".join(f"{name} ({arms[treatment]:,})" for name, arms in others.items() if arms[treatment])
        yield (
            f"The treated were reached through other audiences, too: {through}. The control group is left out of every "
            "audience, so the difference is that of all of it."
        )


def _of_the_record(conduct: Conduct, day: Callable[[date], str]) -> Iterator[str]:
    if conduct.started_on >= conduct.begins:
        yield (
            f"Purchases count from {day(conduct.begins)}, and the arms were drawn on {day(conduct.started_on)}: what "
            "was bought before that no treatment can have changed."
        )
    then, now = conduct.doubled_invoices
    if then and now and then != now:
        yield (
            f"At the start an invoice that the data holds twice counted {then}, and now it counts {now}: the setting "
            "doubled_invoices was changed, and pounds with it."
        )
    for each in conduct.amendments:
        yield (
            f"Amended on {day(local_day(each.at))} by {each.by}: {sentence(each.what)}, because: "
            f"{sentence(each.because)}."
        )


def _of_the_customers(conduct: Conduct, known: dict[str, int]) -> Iterator[str]:
    if any(conduct.excluded.values()):
        yield (
            f"{counted(sum(conduct.excluded.values()), 'customer')} objected to marketing or asked to be forgotten "
            f"({_by_arm(conduct.excluded)}): not written to since, and compared as assigned."
        )
    gone = {arm: customers - known[arm] for arm, customers in conduct.arms.items()}
    if lost := sum(gone.values()):
        yield (
            f"{counted(lost, 'customer')} {'is' if lost == 1 else 'are'} no longer in the data ({_by_arm(gone)}): "
            "compared as buying nothing."
        )


def _of_the_time(conduct: Conduct, day: Callable[[date], str]) -> Iterator[str]:
    if conduct.hole:
        waits = f"waits for it, {LATE_DAYS} days longer than for data without a hole, and "
        yield (
            f"The data has no invoice from {day(conduct.hole.first)} to {day(conduct.hole.last)}; the shop was never "
            f"without one for so long before. If a dump is missing, load it: the result {waits * (not conduct.is_due)}"
            "changes with it."
        )
    if conduct.is_to_be_stopped:
        yield (
            "The result is due, and the control group is still held out of every plan. To end that: lgs experiment "
            f'stop {conduct.declaration.name} --because "its result is known"'
        )
    if stopped_on := conduct.cut_short_on:
        reached = conduct.reached_later[CONTROL]
        so = f": {_NEARER}" if reached else ""
        yield (
            f"Stopped on {day(stopped_on)}, before the last window was over: "
            f"{sentence(conduct.stopped_because or '')}. From then on the control group might be written to: "
            f"{counted(reached, 'customer')} of it reached a destination after the stop{so}."
        )


def _by_arm(customers: dict[str, int]) -> str:
    return ", ".join(f"{arm} {number:,}" for arm, number in customers.items())


def local_day(moment: datetime) -> date:
    """The day of a moment where the shop is."""
    return moment.astimezone(ZoneInfo(places.TIME_ZONE)).date()
