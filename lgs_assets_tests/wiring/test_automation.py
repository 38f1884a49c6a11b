"""What the daemon decides to rebuild, tick by tick, on a real instance; nothing is executed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lgs_assets.checks import ALL_CHECKS
from lgs_assets.configuration import Configuration
from lgs_assets.definitions import defs
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.lineage import ASSETS
from lgs_assets.wiring.partitions import DUMPS
from lgs_assets_tests.builders import DERIVED, followers
from lgs_assets_tests.conftest import leave_environment

RAW = dg.AssetKey("raw_invoices")
FOLLOWS_DUMPS = followers("raw_invoices")
FOLLOWS_SCORES = {"rfm_scores"} | followers("rfm_scores")
NEEDS_NO_DUMP = set(DERIVED) - FOLLOWS_DUMPS


class Daemon:
    """The automation of the definitions: remembers from one tick to the next what the daemon does."""

    def __init__(self, instance: dg.DagsterInstance, cursor: Any = None) -> None:
        self.instance = instance
        self.definitions = defs
        self.cursor = cursor

    def tick(self) -> set[str]:
        """The tables that are requested."""
        result = dg.evaluate_automation_conditions(self.definitions, instance=self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        spec_keys = [spec.key for spec in self.definitions.resolve_all_asset_specs()]
        return {key.path[-1] for key in spec_keys if result.get_num_requested(key)}

    def build(self, tables: set[str]) -> None:
        """What a run does that builds the tables."""
        for table in tables:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(table))

    def load(self, dump: str, *, check_passes: bool = True) -> None:
        """What a run does that loads a dump and checks it."""
        self.instance.add_dynamic_partitions(DUMPS, [dump])
        self.instance.report_runless_asset_event(dg.AssetMaterialization(RAW, partition=dump))
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=RAW, check_name="lines_match_ledger", passed=check_passes)
        )


@dataclass(frozen=True)
class Settled:
    """What the daemon remembers: the state folder of an instance, and its cursor."""

    history: Path
    cursor: Any


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with dagster_instance(Configuration.read()) as instance:
        yield Daemon(instance)


@pytest.fixture(scope="module")
def settled_once(tmp_path_factory: pytest.TempPathFactory) -> Settled:
    """The history of an instance in which one dump is loaded, and everything is built from it; only to be copied."""
    home = tmp_path_factory.mktemp("settled") / "lgs"
    with pytest.MonkeyPatch.context() as patch:
        leave_environment(patch, home)
        with dagster_instance(Configuration.read()) as instance:
            daemon = Daemon(instance)
            daemon.build(daemon.tick())
            daemon.load("march.sql")
            daemon.build(daemon.tick())
            assert daemon.tick() == set()
    return Settled(home, daemon.cursor)


@pytest.fixture
def settled(settled_once: Settled, tmp_path: Path) -> Iterator[Daemon]:
    """One dump is loaded, and everything is built from it."""
    shutil.copytree(settled_once.history, tmp_path / "lgs")
    with dagster_instance(Configuration.read()) as instance:
        yield Daemon(instance, settled_once.cursor)


def test_a_new_deployment_builds_the_playbook_and_waits(daemon: Daemon) -> None:
    """What needs no dump is built at once; the rest has nothing to be built from."""
    assert daemon.tick() == NEEDS_NO_DUMP
    daemon.build(NEEDS_NO_DUMP)
    assert daemon.tick() == set()
    assert daemon.tick() == set()


def test_a_dump_rebuilds_all_that_follows_in_one_run_and_once(settled: Daemon) -> None:
    """Every table that is built from dumps, together; and nothing more when they are built."""
    settled.load("april.sql")
    assert settled.tick() == FOLLOWS_DUMPS
    settled.build(FOLLOWS_DUMPS)
    assert [settled.tick() for _ in range(3)] == [set()] * 3


def test_a_dump_that_is_not_loaded_holds_nothing_up(settled: Daemon) -> None:
    """A bad one stays registered and missing, while the good one beside it is taken further."""
    settled.instance.add_dynamic_partitions(DUMPS, ["bad.sql"])
    settled.load("april.sql")
    assert settled.tick() == FOLLOWS_DUMPS


def test_nothing_is_built_on_what_a_blocking_check_refused(settled: Daemon) -> None:
    """Not in this tick nor in later ones; but as soon as the check holds again."""
    settled.load("april.sql", check_passes=False)
    assert [settled.tick() for _ in range(2)] == [set()] * 2
    settled.load("april.sql")
    assert settled.tick() == FOLLOWS_DUMPS


def test_changed_code_rebuilds_its_table_and_what_follows(settled: Daemon) -> None:
    """An upgrade needs no dump and no night to take effect."""
    changed = dg.map_asset_specs(
        lambda spec: spec.replace_attributes(code_version="new") if spec.key.path == ["rfm_scores"] else spec,
        ASSETS,
    )
    settled.definitions = dg.Definitions(changed, asset_checks=ALL_CHECKS, resources=settled.definitions.resources)
    assert settled.tick() == FOLLOWS_SCORES
    settled.build(FOLLOWS_SCORES)
    assert settled.tick() == set()
