"""The warehouse, as commands need it: as it is, with facts about customers, or for what handles contacts."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.warehouse.database import Warehouse


def configured_warehouse() -> "Warehouse":
    """The warehouse of the configuration."""
    from lgs_assets.configuration import Configuration
    from lgs_assets.wiring.resources import Resources

    return Resources.of(Configuration.read()).warehouse


def warehouse_with_facts() -> "Warehouse":
    """The warehouse, in which there are facts to ask. Raises LgsError where there are none yet."""
    from lgs_assets.errors import LgsError
    from lgs_assets.warehouse.ledger import built_tables

    warehouse = configured_warehouse()
    if "audience_facts" not in built_tables(warehouse):
        raise LgsError("There is no table audience_facts yet: lgs run")
    return warehouse


def warehouse_with_contacts() -> "Warehouse":
    """The warehouse with facts, for what handles contacts there. Warns if the server's log may show them."""
    from lgs_assets.action.private import log_warning

    warehouse = warehouse_with_facts()
    if warning := log_warning(warehouse):
        typer.secho(warning, err=True, fg=typer.colors.YELLOW)
    return warehouse
