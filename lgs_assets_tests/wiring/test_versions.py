"""What outdates a table: its own code, its inputs and the settings that it reads, and nothing else."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets import places
from lgs_assets.configuration import Settings
from lgs_assets.contracts.model import parameters_of
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.lineage import ASSETS, built_specs
from lgs_assets.wiring.reached_code import reached_code
from lgs_assets.wiring.versions import SETTINGS, code_version, outdated, settings_read
from lgs_assets_tests.builders import BY_PYTHON, MODELS, followers

SPECS = built_specs()

# Of each setting, other values than its default.
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "snapshot_date": st.dates().map(str),
    "ties": st.just("together"),
    "drop_repeats": st.just(True),
    "doubled_invoices": st.just("once"),
    "pair_support": st.integers(1, 99),
    "chart_cutoff": st.floats(0.01, 0.84),
    "as_of": st.dates().map(str),
    "discount_pct": st.floats(0.5, 100),
}


def test_every_setting_is_tried() -> None:
    """A setting that is added cannot be forgotten here; one that no table reads would change nothing."""
    assert OTHERS.keys() == Settings.model_fields.keys()
    assert OTHERS.keys() == set().union(*map(settings_read, SPECS))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=st.fixed_dictionaries({}, optional=OTHERS))
def test_settings_outdate_what_binds_them_and_what_follows(built: Warehouse, changed: dict[str, Any]) -> None:
    """Whichever is set: the tables that read it, everything built from them, and no other."""
    bound = {table for table, model in MODELS.items() if changed.keys() & set(parameters_of(model.select))}
    bound |= {spec.key.path[-1] for spec in SPECS if changed.keys() & set(spec.metadata.get(SETTINGS, ()))}
    expected = bound.union(*map(followers, bound))
    assert set(outdated(SPECS, Settings(**changed), built)) == expected


def function_of(module: Path, name: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(module.stem, module)
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    function: Callable[..., Any] = getattr(loaded, name)
    return function


def test_a_function_that_is_added_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    """Only the text of a table's own function counts, wherever it is in its module."""
    alone, beside, changed = tmp_path / "alone.py", tmp_path / "beside.py", tmp_path / "changed.py"
    alone.write_text("def segments(x):\n    return x\n")
    beside.write_text("def more(x):\n    return -x\n\n\n" + alone.read_text())
    changed.write_text("def segments(x):\n    return x + 1\n")
    versions = [
        code_version("segments", function=function_of(module, "segments")) for module in (alone, beside, changed)
    ]
    assert versions[0] == versions[1] != versions[2]


@pytest.mark.parametrize(
    ("table", "module"),
    [
        ("trend_statistics", "lgs_assets/models/multiple_testing.py"),
        ("customer_value", "lgs_assets/models/likelihood.py"),
        ("logged_predictions", "lgs_assets/models/slipping.py"),
        ("experiment_results", "lgs_assets/models/power.py"),
        ("audience_members", "lgs_assets/action/rules.py"),
        ("monthly_reports", "lgs_assets/wording.py"),
        ("monthly_reports", "sql/do_not_contact.sql"),
        ("experiment_reports", "lgs_assets/charts/style.py"),
        ("experiment_results", "sql/exposures.sql"),
    ],
)
def test_the_code_that_a_table_reaches_is_found(table: str, module: str) -> None:
    """What its function calls, what that imports and the SQL it reads, however far away: nobody has to list it."""
    (asset,) = (asset for asset in ASSETS if asset.key.path == [table])
    function: Any = asset.op.compute_fn
    _, files = reached_code(function.decorated_fn.__wrapped__)
    assert places.ROOT / module in files


def test_functions_of_the_same_module_that_are_used_count() -> None:
    """Those that are not belong to other tables."""
    function: Any = BY_PYTHON["model_cards"].op.compute_fn
    text, _ = reached_code(function.decorated_fn.__wrapped__)
    assert "def reason(" in text and "def plotted(" not in text


@pytest.mark.parametrize("table", ["model_cards", "model_evaluations", "trend_statistics"])
def test_helpers_count_although_their_module_is_still_being_imported(table: str) -> None:
    """They stand below the function that uses them, and are not there yet when Dagster asks for its version."""
    function: Any = BY_PYTHON[table].op.compute_fn
    (spec,) = BY_PYTHON[table].specs
    assert spec.code_version == code_version(table, function=function.decorated_fn.__wrapped__)
