"""The resources of assets, checks, sensors and commands, all created once from one configuration.

Only the settings and the rules of acceptance can be changed in the launchpad. No place, no URL and no password is part
of a run's configuration: otherwise anyone who can launch a run could have any file read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import dagster as dg

from lgs_assets.action.destinations.configured import Activation
from lgs_assets.arrivals.inbox import Inbox
from lgs_assets.arrivals.pull import Source
from lgs_assets.configuration import Acceptance, Configuration, Settings
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import database_of
from lgs_assets.warehouse.tables import PostgresTables, Tables

if TYPE_CHECKING:
    from lgs_assets.lake.engine import Engine


class RunSettings(dg.ConfigurableResource, Settings):
    """The settings of a run, which change figures. Values given here hold for this run."""


class RunAcceptance(dg.ConfigurableResource, Acceptance):
    """How a run accepts dumps."""


@dataclass(frozen=True)
class Resources:
    """The resources by name."""

    warehouse: Warehouse
    tables: Tables
    inbox: Inbox
    source: Source | None
    settings: RunSettings
    acceptance: RunAcceptance
    activation: Activation
    state: Path
    """The folder of everything that the platform creates."""

    @classmethod
    def of(cls, configuration: Configuration) -> Self:
        """The resources of a configuration. Connects to nothing: what is out of reach shows when it is used."""
        warehouse = Warehouse(database_of(configuration))
        return cls(
            warehouse=warehouse,
            tables=tables_of(configuration, warehouse),
            inbox=Inbox(configuration.inbox_location, demo_folder=configuration.state / "demo"),
            source=Source.of(configuration),
            settings=RunSettings(**configuration.settings.model_dump()),
            acceptance=RunAcceptance(**configuration.acceptance.model_dump()),
            activation=Activation(configuration),
            state=configuration.state,
        )


def tables_of(configuration: Configuration, warehouse: Warehouse) -> Tables:
    """The tables where the configuration puts them: all in PostgreSQL, or those of lines in a lake."""
    if configuration.engine == "postgres":
        return PostgresTables(warehouse)
    from lgs_assets.lake.place import Place  # here: without a lake none of this is needed
    from lgs_assets.lake.tables import LakeTables

    return LakeTables(warehouse, Place(configuration.lake_location), _engine(configuration))


def _engine(configuration: Configuration) -> "Engine":
    if configuration.engine == "duckdb":
        from lgs_assets.lake.duckdb import DuckDB

        return DuckDB()
    from lgs_assets.lake.spark import Spark

    return Spark(configuration.spark_master)
