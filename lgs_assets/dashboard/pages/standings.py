"""How each experiment stands by the data that is loaded: what both pages on experiments show of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lgs_assets import wording
from lgs_assets.action.experiments.conduct import Amendment, Conduct, Hole, remarks
from lgs_assets.action.experiments.declaration import CONTROL, Declaration, Metric
from lgs_assets.dashboard.pages.page import View
from lgs_assets.dashboard.queries import Row
from lgs_assets.models.judging import LEVEL, arms_p, is_mismatched


@dataclass(frozen=True)
class Standing:
    """An experiment, and how it stands by the data that is loaded."""

    conduct: Conduct
    row: Row
    """What all its arms have in common."""
    known: dict[str, int]
    """Those of them whom the data still knows, by arm."""
    results: list[Row]

    @property
    def declared(self) -> Declaration:
        """What was declared before it began."""
        return self.conduct.declaration

    @property
    def due(self) -> date:
        """The first day that the data need not cover."""
        return self.conduct.due_of(self.declared.primary.metric)

    @property
    def primary(self) -> Row | None:
        """The result that it is judged by, if it is due and computed."""
        return next((row for row in self.results if row["role"] == "primary"), None)

    @property
    def chance(self) -> float:
        """How often chance makes arms of which the data still knows so many, in 0..1."""
        return arms_p(self.known, self.conduct.arms, self.declared.shares)

    @property
    def is_mismatched(self) -> bool:
        """Whether they are not of the sizes that were drawn: then there is no result."""
        return is_mismatched(self.known, self.conduct.arms, self.declared.shares)

    @property
    def answer(self) -> str:
        """The first line of its report, unless customers were drawn since that was built."""
        if self.row["reported_due"] != self.due:
            return "No report yet: customers were drawn after the tables were last built. Run lgs run."
        return str(self.row["answer"])

    @property
    def claim(self) -> str | None:
        """What a report without a control group would have claimed; None until the report has it."""
        return None if self.is_mismatched or self.row["reported_due"] != self.due else self.row["claim"]

    @property
    def waiting(self) -> list[tuple[Metric, date]]:
        """The declared metrics that are not due yet, and from which day on they are."""
        due = {
            metric: self.conduct.due_of(metric) for metric in (self.declared.primary.metric, *self.declared.secondary)
        }
        return [(metric, day) for metric, day in due.items() if day > self.conduct.covered_until]

    @property
    def certainty(self) -> str:
        """How certain the intervals of its results are."""
        if self.primary is None or self.primary["level"] == LEVEL:
            return "at 95 %"
        left = f"{100 - 100 * self.primary['level']:.4g} %"
        return f"at 95 % ({left} for all customers by the primary metric, which shares its 5 % with the declared looks)"

    @property
    def remarks(self) -> list[str]:
        """What is not as planned; of those who objected only how many, when the tables were last built."""
        return remarks(self.conduct, known=self.known, day=wording.day)


def standings(view: View, experiment: str | None = None) -> list[Standing]:
    """Of every experiment that was started, or of one; none if there is none of that name."""
    rows = view.rows("experiments", experiment=experiment)
    results = view.rows("experiment_results", experiment=experiment)
    amendments = view.rows("experiment_amendments", experiment=experiment)
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row["experiment"], []).append(row)
    last = view.choices.until
    return [_standing(name, arms, _of(name, results), _of(name, amendments), last) for name, arms in by_name.items()]


def _of(name: str, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["experiment"] == name]


def _standing(name: str, arms: Sequence[Row], results: list[Row], amendments: list[Row], last: datetime) -> Standing:
    declared = Declaration.frozen(name, arms[0]["declaration"])
    nobody = {CONTROL: 0, declared.treatment: 0}
    through: dict[str, dict[str, int]] = {}
    for arm in arms:
        for audience, customers in (arm["through"] or {}).items():
            through.setdefault(audience, dict(nobody))[arm["arm"]] = customers
    conduct = Conduct(
        declaration=declared,
        started_at=arms[0]["started_at"],
        stopped_at=arms[0]["stopped_at"],
        stopped_because=arms[0]["stopped_because"],
        amendments=tuple(
            Amendment(row["what"], row["because"], row["amended_by"], row["amended_at"]) for row in amendments
        ),
        arms=nobody | {arm["arm"]: arm["customers"] for arm in arms},
        reached=nobody | {arm["arm"]: arm["reached"] for arm in arms},
        reached_through=through,
        reached_undrawn=nobody | {arm["arm"]: arm["reached_undrawn"] for arm in arms},
        reached_later=nobody | {arm["arm"]: arm["reached_later"] for arm in arms},
        sent=sum(arm["sent"] for arm in arms if arm["arm"] == declared.treatment),
        held_out=arms[0]["held_out"],
        excluded=nobody | {arm["arm"]: arm["excluded"] or 0 for arm in arms},
        begins=min(arm["first_from"] for arm in arms).date(),
        due=max(arm["last_from"] for arm in arms).date() + timedelta(days=declared.primary.days),
        covered_until=last.date(),
        doubled_invoices=(arms[0]["doubled_then"], arms[0]["doubled_now"]),
        hole=Hole(arms[0]["missing_from"], arms[0]["missing_to"]) if arms[0]["missing_from"] else None,
    )
    known = nobody | {arm["arm"]: arm["known"] for arm in arms}
    return Standing(conduct, arms[0], known, results)
