"""Experiments, on the real data: what customers do by themselves, and what a test of them can show.

Needs the UCI data and the reference figures beside it (see `real_data` in conftest.py); skips loudly without.
"""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from math import sqrt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import experiments
from benchmarks.experiments import (
    ERRORS,
    LOOKS,
    POPULATIONS,
    imbalance,
    measure,
    off_measured,
    peek,
    population,
    weekly,
)
from lgs_assets.action.audiences import Audience, Limits, audience_named
from lgs_assets.action.experiments.declaration import FOLDER, Declaration
from lgs_assets.action.experiments.detectable import prospect
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import MakeDatabase


def test_what_no_campaign_brings(real: Warehouse, real_data: Path) -> None:
    """Each segment, start and window of the reference, to the penny: 40 % of Can't Lose come back by themselves."""
    file = real_data / "reference" / "experiments" / "before_after_without_campaign.csv"
    reference = pd.read_csv(file, dtype=str, keep_default_na=False).to_dict("records")
    ours = {(row.segment, row.snapshot_date, row.months): row for row in real.rows("select * from natural_return")}
    assert len(reference) > 10
    for theirs in reference:
        found = ours[theirs["segment"], datetime.fromisoformat(theirs["start"]), int(theirs["months"])]
        assert (found.customers, found.came_back) == (int(theirs["customers"]), int(theirs["came_back"])), theirs
        for name in ("sales_after", "net_after", "net_before"):
            assert round(found[name], 2) == Decimal(theirs[f"{name}_gbp"]), (name, theirs)


@pytest.mark.parametrize(
    ("where", "raw", "adjusted", "buyers"),
    [
        ("segment = 'Can''t Lose'", (186, 225), (154, 196), (40, 72)),
        ("segment = 'At Risk'", (56, 51), (50, 38), (42, 52)),
        ("segment in ('Can''t Lose', 'At Risk')", (55, 52), (46, 42), (41, 51)),
        ("segment = 'Champions'", (61, 58), (22, 20), (87, 93)),
        ("true", (40, 38), (12, 10), (48, 52)),
    ],
)
def test_what_can_be_detected(
    real: Warehouse, where: str, raw: tuple[int, int], adjusted: tuple[int, int], buyers: tuple[int, int]
) -> None:
    """Within 3 and 6 months, in percent of net revenue, raw to a point; how many buy within 6 months, to a point."""
    declaration = Declaration.read(FOLDER / "win_back_call.toml")
    found = prospect(real, declaration, Audience("some", "Some.", where, {}, Limits()))
    windows = {window.window: window for window in found.windows}
    quarter, half = windows["3 months"], windows["6 months"]
    assert half.share_detectable is not None
    assert (len(quarter.starts), len(half.starts)) == (4, 3)
    assert (quarter.net_change, half.net_change) == pytest.approx(raw, abs=1)
    assert (quarter.net_change_adjusted, half.net_change_adjusted) == pytest.approx(adjusted, abs=1.5)
    assert (100 * half.share, 100 * half.share_detectable) == pytest.approx(buyers, abs=1)


def test_the_lapsed_together_can_be_tested_and_the_few_alone_cannot(real: Warehouse) -> None:
    """Ten points more who buy within 90 days: 821 customers show it at 85 % or more, 71 at about 14 %."""
    declaration = Declaration.read(FOLDER / "win_back_call.toml")
    together = prospect(real, declaration, audience_named("lapsed_regulars"))
    alone = prospect(real, declaration, audience_named("call_list"))
    assert (together.customers, alone.customers) == (821, 71)
    assert together.power >= 0.85 and not together.is_underpowered
    assert alone.power < 0.2 and len(alone.ways_out) == 3


def reference(real_data: Path, name: str, **where: Any) -> dict[str, Any]:
    """The one row of a file of the reference with these values."""
    rows = pd.read_csv(real_data / "reference" / "experiments" / f"{name}.csv")
    for column, value in where.items():
        rows = rows[rows[column] == value]
    (row,) = rows.to_dict("records")
    return {str(column): value for column, value in row.items()}


def by_chance(share: float, *splits: int) -> float:
    """How far a share of so many splits may be from that of so many others."""
    return ERRORS * sqrt(share * (1 - share) * sum(1 / number for number in splits))


@pytest.mark.parametrize("name", ["Can't Lose", "At Risk", "Champions"])
def test_arms_are_as_alike_as_in_the_reference(real: Warehouse, real_data: Path, name: str) -> None:
    """By the draw of the platform no less, and of the same sizes; by a toss as unlike, but for chance."""
    salts = 150
    drawn, tossed = imbalance(real, POPULATIONS[name], salts=salts)
    ours, theirs = (
        reference(real_data, "assignment", population=name, assignment=how)
        for how in ("rank in blocks of 4", "plain hash")
    )
    off = ERRORS * sqrt(1 / (2 * salts) + 1 / (2 * ours["salts"]))
    assert drawn["apart"].std() <= ours["past_spend_difference_sd_gbp"] * (1 + off)
    assert tossed["apart"].std() == pytest.approx(theirs["past_spend_difference_sd_gbp"], rel=off)
    assert (drawn["treated"].min(), drawn["treated"].max()) == (ours["treated_min"], ours["treated_max"])


@pytest.mark.parametrize("name", ["At Risk", "Champions"])
def test_effects_show_as_often_as_in_the_reference(real: Warehouse, real_data: Path, name: str) -> None:
    """With no lift as rarely, with one no more rarely, and the interval holds it; as many customers, worth as much."""
    splits, at = 200, {"months": 6, "start": "2011-06-01", "population": name}
    frame, cap = population(real, POPULATIONS[name])
    found = measure(frame, cap=cap, splits=splits, draws=199)
    alarms = reference(
        real_data, "aa_false_positives", **at, design="halves", analysis="randomisation of ANCOVA winsorised"
    )
    assert len(frame) == alarms["n"]
    assert found["shows, capped", 0.0] / splits == pytest.approx(
        alarms["false_positive_rate"], abs=by_chance(0.05, splits, alarms["splits"])
    )
    for lift in (0.1, 0.2):
        power = reference(
            real_data, "power_curves", **at, effect="every pound +x %", x=lift, analysis="ANCOVA winsorised HC2"
        )
        assert lift * frame["net_revenue"].mean() == pytest.approx(power["true_gbp"], rel=0.01)
        assert found["shows, capped", lift] / splits >= power["power"] - by_chance(power["power"], splits, 1000)
    assert off_measured(name, found, frame=frame, splits=splits) == []


@pytest.mark.parametrize("name", ["Can't Lose", "At Risk"])
def test_declared_looks_show_as_rarely_as_in_the_reference(real: Warehouse, real_data: Path, name: str) -> None:
    """A look each week from the fourth on, at what does not exist; undeclared, they show it far more often."""
    splits, weeks = 200, weekly(real, POPULATIONS[name])
    theirs = reference(real_data, "peeking", start="2011-06-01", weeks=26, population=name)
    assert (len(weeks), len(LOOKS) + 1) == (theirs["n"], theirs["looks"])
    frame, cap = population(real, POPULATIONS[name])
    found = peek(frame, weeks, cap=cap, splits=splits, draws=199)
    expected = theirs["rerandomised_obf"]
    assert found["declared"] / splits == pytest.approx(expected, abs=by_chance(expected, splits, theirs["splits"]))
    assert found["at 5 % each"] / splits >= 0.1 > found["declared"] / splits


def test_the_benchmark_fails_on_a_figure_that_is_off(
    real: Warehouse, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It exits with 1 and names the figure; otherwise with 0. An unknown population is refused."""
    benchmark = typer.Typer()
    benchmark.command()(experiments.main)

    def run(*options: str) -> Any:
        return CliRunner().invoke(benchmark, ["--splits", "60", "--draws", "99", "--salts", "20", *options])

    real.engine.dispose()
    # A copy: the benchmark keeps its connections, and others copy the real one.
    monkeypatch.setenv("LGS_DATABASE_URL", make_database(template=real.url))
    monkeypatch.setattr(experiments, "LOOKS", LOOKS[:2])
    fine = run("--only", "Can't Lose")
    assert (fine.exit_code, fine.stderr) == (0, "")
    assert run("--only", "Cant Lose").exit_code == 2
    everything = Counter(
        {("shows", 0.0): 30, ("shows, capped", 0.0): 3, ("buyers show", 0.0): 3}
        | {(what, lift): 57 for what in ("covered", "buyers covered") for lift in (0, 0.1, 0.2)}
        | {("buyers show", lift): 60 for lift in (0.1, 0.2)}
    )
    monkeypatch.setattr(experiments, "measure", lambda *_, **__: everything)
    off = run("--only", "Can't Lose")
    assert off.exit_code == 1
    named = "Can't Lose{}: false alarms, shows: 50.0%; expected 0.0% to 13.4%."
    assert off.stderr.strip().split("\n") == [named.format(""), named.format(", 5% control")]
