"""Dagster's state: what is written to it while a command is at work."""

from pathlib import Path

import dagster as dg

from lgs_assets.configuration import Configuration
from lgs_assets.wiring.instance import dagster_instance


def test_the_history_stays_open_during_a_command_and_is_whole_after_it() -> None:
    """Else each event would write the log back and wait for the disk; in the end nothing is left in the log."""
    log = Path(Configuration.read().dagster_state, "history", "runs", "index.db-wal")
    with dagster_instance(Configuration.read()) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("segments"))
        assert log.stat().st_size > 0
    assert not log.exists()
    with dagster_instance(Configuration.read()) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("segments"))
