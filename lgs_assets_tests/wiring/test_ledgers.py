"""The ledgers as Dagster shows them: no run builds them, and what they hold is observed."""

import dagster as dg
import pytest

from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions, defs
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.ledgers import LEDGERS
from lgs_assets.wiring.lineage import built_specs
from lgs_assets_tests.action.people import KEY


def test_no_run_would_build_a_ledger() -> None:
    """They are in the lineage, and in none of its jobs; nothing that is built waits for them."""
    ledgers = {spec.key for spec in LEDGERS}
    built = {spec.key for spec in built_specs()}
    assert {spec.key for spec in defs.resolve_all_asset_specs()} == built | ledgers
    assert ledgers.isdisjoint(built)
    for job in ("lineage", "refresh"):
        assert ledgers.isdisjoint(defs.resolve_job_def(job).asset_layer.executable_asset_keys)
    assert all(ledgers.isdisjoint(dep.asset_key for dep in spec.deps) for spec in built_specs())


def test_the_job_that_plans_tells_what_each_ledger_holds(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last rows, and without a payload or what a destination was told of anybody."""
    monkeypatch.setenv("LGS_CONTACT_KEY", KEY)
    monkeypatch.setenv("LGS_DATABASE_URL", warehouse.url)
    monkeypatch.setattr("lgs_assets.action.nightly.read_audiences", list)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "insert into activation_plans (destination, audience, audience_version, publication, adds, updates, "
            "removes, left_out, held_before, digest, state, made_by, made_at) values ('webhook', 'a|b', 'v', 'p', 7, "
            "0, 0, '{}', 0, repeat('0', 64), 'planned', 'ana', now())"
        )
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(Configuration.read()).resolve_job_def("plan_lists")
        assert job.execute_in_process(instance=instance).success
        told = {
            spec.key.path[-1]: instance.fetch_observations(spec.key, limit=1).records[0].asset_observation
            for spec in LEDGERS
        }
    metadata = {name: event.metadata for name, event in told.items() if event}
    assert {name: found["dagster/row_count"].value for name, found in metadata.items()} == {
        "activation_plans": 1,
        "activation_receipts": 0,
        "assignments": 0,
    }
    assert "ana" in str(metadata["activation_plans"]["the last"].value)
    assert metadata["assignments"]["the last"].value == "nothing yet"
