"""The worked example of docs/experiments.md: a campaign whose lift is known is found to be what it is."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from docs import campaign
from lgs_assets.action.audiences import Audience, Limits
from lgs_assets.action.experiments.declaration import Declaration
from lgs_assets.action.experiments.results import analyse
from lgs_assets.action.experiments.starting import start
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets_tests.action.test_experiments import FILE
from lgs_assets_tests.builders import TABLES, build_tables, sources

ALL = Audience("some", "All.", "true", {}, Limits())
THE_SHOP_GOES_ON = "999999,22423,CAKESTAND,1,2012-10-15 10:00:00,1,,United Kingdom\n"


def test_the_lift_that_was_put_in_is_found(built: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six of twenty buy again, as they did a year before. A call wins over all others: 70 more of a hundred."""
    monkeypatch.setattr(campaign, "WON_OVER", 1)
    monkeypatch.setattr(
        "lgs_assets.action.experiments.starting.secrets", SimpleNamespace(token_hex=lambda size: size * "0a")
    )
    with built.transaction() as connection:
        connection.exec_driver_sql(
            "insert into audience_members select 'some', customer_id, %s, '{}' from audience_facts", (ALL.version,)
        )
    start(built, Declaration.parse("calls", FILE), ALL, counts_from=date(2012, 5, 1))
    file = tmp_path / "campaign.csv"
    lift = campaign.write_campaign(built, "calls", file)
    written = file.read_text()
    assert campaign.write_campaign(built, "calls", file) == lift
    assert file.read_text() == written
    file.write_text(written + THE_SHOP_GOES_ON)
    load_dump(built, DumpFile(file, file.name))
    build_tables(built, *(table for table in TABLES if table in sources("experiment_results")))
    found = analyse(built, "calls").primary
    assert found and found.difference.treated == 1
    assert lift == pytest.approx(0.7)
    assert found.shows
    assert found.difference.low <= lift <= found.difference.high
    kept = built.rows("select difference from experiment_results where role = 'primary'")
    assert [row.difference for row in kept] == [found.difference.estimate]
