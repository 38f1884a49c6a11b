"""The audiences: whom marketing speaks to, who entered and left, and what experiments with them found."""

from pathlib import Path

import dagster as dg
import pandas as pd

from lgs_assets.action.audiences import FILES, members, read_audiences, record_members, stated
from lgs_assets.action.experiments.exposures import exposed
from lgs_assets.action.experiments.report import reports
from lgs_assets.action.experiments.results import results
from lgs_assets.contracts.model import Model, Relation
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset
from lgs_assets.wiring.metadata import described


@derived_asset(group="audiences", kinds=IN_WAREHOUSE)
def audience_facts(
    segments: Relation,
    rfm_scores: Relation,
    customer_profile: Relation,
    customer_value: Relation,
    churn_risk: Relation,
) -> Model:
    """What the rule of an audience may ask of a customer. One row a customer with a segment."""
    return Model("audience_facts.sql", segments, rfm_scores, customer_profile, customer_value, churn_risk)


@derived_asset(group="audiences", kinds={"postgres", "toml"}, sources=FILES)
def audiences(
    audience_facts: Relation, segment_playbook: Relation, warehouse: dg.ResourceParam[Warehouse]
) -> pd.DataFrame:
    """The audiences as their files state them. One row an audience."""
    return stated(warehouse, read_audiences())


@derived_asset(group="audiences", kinds={"postgres", "toml"}, sources=FILES)
def audience_members(
    audiences: Relation, audience_facts: Relation, warehouse: dg.ResourceParam[Warehouse]
) -> pd.DataFrame:
    """Who is in each audience now. One row an audience and customer."""
    return members(warehouse, read_audiences())


@derived_asset(group="audiences", kinds={"postgres", "python"})
def audience_history(
    audience_members: Relation, audience_facts: Relation, warehouse: dg.ResourceParam[Warehouse]
) -> pd.DataFrame:
    """Who entered and left each audience, recorded for good, and counted. One row an audience and snapshot."""
    return record_members(warehouse, publication=audience_members.version)


@derived_asset(group="audiences", kinds={"postgres", "python"})
def exposures(audience_members: Relation, warehouse: dg.ResourceParam[Warehouse]) -> pd.DataFrame:
    """Whom lists reached while an experiment ran. One row per experiment, customer, destination and audience."""
    return exposed(warehouse)


@derived_asset(group="audiences", kinds={"postgres", "python"})
def experiment_results(
    invoice_totals: Relation,
    returns: Relation,
    customer_profile: Relation,
    warehouse: dg.ResourceParam[Warehouse],
) -> pd.DataFrame:
    """What each experiment found, of what is due. One row per experiment, metric, segment and country."""
    return results(warehouse)


@derived_asset(group="audiences", kinds={"postgres", "python", "markdown", "matplotlib"})
def experiment_reports(
    context: dg.AssetExecutionContext,
    experiment_results: Relation,
    exposures: Relation,
    natural_return: Relation,
    warehouse: dg.ResourceParam[Warehouse],
    state: dg.ResourceParam[Path],
) -> pd.DataFrame:
    """What each experiment found, told in words and shown, the answer first. One row an experiment."""
    told = reports(warehouse, cache=state / "matplotlib")
    context.add_output_metadata(described("experiment_reports", lambda: _shown(told), context.log.warning))
    return told


def _shown(told: pd.DataFrame) -> dict[str, dg.MarkdownMetadataValue]:
    """Each report for the UI, with its picture below."""
    from lgs_assets.charts.image import preview  # here: only this needs a library for pictures

    rows = zip(told["experiment"], told["report"], told["picture"], strict=True)
    return {
        name: dg.MetadataValue.md(f"{text}\n{preview(picture, 'What it changed')}" if picture else text)
        for name, text, picture in rows
    }
