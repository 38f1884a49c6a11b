"""The lineage as data: every asset of the package `assets`, and the models that the SQL ones return."""

from graphlib import TopologicalSorter

import dagster as dg

from lgs_assets import assets
from lgs_assets.contracts.model import Model, Relation, model_path

ASSETS = [asset for asset in dg.load_assets_from_package_module(assets) if isinstance(asset, dg.AssetsDefinition)]


def built_specs() -> list[dg.AssetSpec]:
    """What Dagster is told of each asset that runs build; the ledgers, which they do not, are not among them."""
    return [spec for asset in ASSETS for spec in asset.specs]


def tables_to_write(run: dg.DagsterRun | None) -> set[str]:
    """The tables that a run is to write."""
    if not run:
        return set()
    tables = {key.path[-1] for key in run.asset_selection or [spec.key for spec in built_specs()]}
    # Of a run that goes on where another failed, not all of them.
    return tables.intersection(run.step_keys_to_execute) if run.step_keys_to_execute else tables


def models() -> dict[str, Model]:
    """The model of each table that a SELECT builds, in an order in which they can be built. No setting is bound."""
    by_table = {asset.key.path[-1]: asset for asset in ASSETS}
    inputs = {table: [key.path[-1] for key in asset.dependency_keys] for table, asset in by_table.items()}
    order = TopologicalSorter(inputs).static_order()
    with dg.build_asset_context() as context:
        return {table: _returned(by_table[table], context) for table in order if model_path(table).exists()}


def _returned(asset: dg.AssetsDefinition, context: dg.AssetExecutionContext) -> Model:
    # One context for all: without one, Dagster would set up an instance with its databases at each call.
    model = asset(context, **{name: Relation(name) for name in asset.keys_by_input_name})
    assert isinstance(model, Model)  # noqa: S101 (narrows the type for the checker)
    return model
