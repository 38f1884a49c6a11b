"""Dagster's state: what is written to it while a command is at work."""

import gc
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

from lgs_assets.configuration import Configuration
from lgs_assets.wiring.instance import STATEMENTS, dagster_instance


def test_the_history_stays_open_during_a_command_and_is_whole_after_it() -> None:
    """Else each event would write the log back and wait for the disk; in the end nothing is left in the log."""
    log = Path(Configuration.read().dagster_state, "history", "runs", "index.db-wal")
    with dagster_instance(Configuration.read()) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("segments"))
        assert log.stat().st_size > 0
    assert not log.exists()
    with dagster_instance(Configuration.read()) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("segments"))


def test_a_process_that_runs_for_weeks_keeps_a_limited_number_of_compiled_statements() -> None:
    """Dagster's engines share what they have compiled."""
    engine = sa.create_engine("sqlite://")
    with dagster_instance(Configuration.read()):
        before = _compiled_statements()
        for number in range(2 * STATEMENTS):
            with engine.connect() as connection:
                connection.execute(sa.select(sa.literal_column(str(number))))
        assert 1 < _compiled_statements() - before <= STATEMENTS + 1


def _compiled_statements() -> int:
    gc.collect()
    return sum(isinstance(each, SQLCompiler) for each in gc.get_objects())
